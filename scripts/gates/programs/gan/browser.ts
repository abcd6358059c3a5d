import { adam, memoryStore, train, useBackend } from '@poiesis/core';
import { DCGAN, ganStep, nonSaturating } from '@poiesis/gan';
import * as tf from '@tensorflow/tfjs-core';

/** Two steps of a tiny GAN on grey squares, with checkpoints in memory, and a picture's shape. */
async function main(): Promise<void> {
  await useBackend('cpu');
  const model = new DCGAN({ size: 28, channels: 1, latent: 4, width: 2 }, { seed: 1 });
  const step = ganStep(model, { objective: nonSaturating(), optimizer: () => adam({ lr: 1e-3 }), ema: true });
  const batches = [1, 2].map((level) => tf.fill([2, 28, 28, 1], level / 4));
  for await (const event of train(step, batches, { steps: 2, seed: 1, checkpoints: memoryStore() })) {
    console.log(event.type, event.step);
  }
  const images = model.sample(3, { seed: 7, ...(step.ema && { average: step.ema }) });
  console.log(images.shape.join());
}

main().catch((error) => console.log('failed', error));
