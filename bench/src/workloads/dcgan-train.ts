import { adam, compile, hostUniform, randomKey } from '@poiesis/core';
import { DCGAN, ganStep, nonSaturating } from '@poiesis/gan';
import * as tf from '@tensorflow/tfjs-core';
import type { Workload } from '../workload';

const batchSize = 64;
const size = 32;

export const dcganTrain: Workload = {
  name: 'dcgan-train',
  about: 'DCGAN, 32×32×1, batch 64, Adam: one update of both networks',
  prepare() {
    const model = new DCGAN({ size, channels: 1, latent: 100 }, { seed: 1 });
    const step = ganStep(model, {
      objective: nonSaturating(),
      optimizer: () => adam({ lr: 2e-4, beta1: 0.5 }),
    });
    const run = compile(step.run, { name: 'dcgan-train' });
    return {
      async step(index) {
        const key = randomKey(1).fold(index);
        const losses = tf.tidy(() => {
          const pixels = hostUniform(key.fold(1), batchSize * size * size, { min: -1, max: 1 });
          return run(tf.tensor4d(pixels, [batchSize, size, size, 1]), key.fold(2));
        });
        const values = await Promise.all(Object.values(losses).map((loss) => loss.data()));
        tf.dispose(losses);
        return values.reduce((sum, [value]) => sum + value!, 0);
      },
      dispose: () => model.dispose(),
    };
  },
};
