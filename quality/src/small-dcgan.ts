import { adam, DataLoader, fromArrays, hostArray, hostIntegers, randomKey } from '@poiesis/core';
import { DCGAN, ganStep, nonSaturating } from '@poiesis/gan';

/** A DCGAN that takes some tens of milliseconds a step, with everything that a run keeps: two optimizers, an average. */
export function smallDcgan() {
  const model = new DCGAN({ size: 28, channels: 1, latent: 32, width: 8 }, { seed: 1 });
  const step = ganStep(model, {
    objective: nonSaturating(),
    optimizer: () => adam({ lr: 2e-4, beta1: 0.5 }),
    ema: true,
  });
  const pixels = Uint8Array.from(hostIntegers(randomKey(2), 100 * 28 * 28, { min: 0, max: 256 }));
  const pictures = fromArrays({ image: hostArray(pixels, [100, 28, 28, 1], [-1, 1]) });
  // 100 pictures, 8 a batch: runs are killed in the middle of epochs, and the last batch of an epoch is a smaller one.
  const batches = new DataLoader(pictures, { batchSize: 8, shuffle: true, seed: 3 });
  return { model, step, batches };
}
