import {
  adam,
  compile,
  crossEntropy,
  hostIntegers,
  hostUniform,
  Linear,
  ReLU,
  randomKey,
  Sequential,
  supervised,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Workload } from '../workload';

const [batch, pixels, hidden, classes, samples] = [128, 784, 512, 10, 10_000];

export const mlpTrain: Workload = {
  name: 'mlp-train',
  about:
    'perceptron 784-512-512-10, ReLU, cross entropy, batch 128 drawn from 10,000 pictures, Adam: one update',
  prepare() {
    const [data, weights, draws] = randomKey(1).split(3);
    const images = hostUniform(data!.fold(0), samples * pixels);
    const labels = hostIntegers(data!.fold(1), samples, { max: classes });
    const key = (i: number) => ({ key: weights!.fold(i) });
    const model = new Sequential([
      new Linear(pixels, hidden, key(0)),
      new ReLU(),
      new Linear(hidden, hidden, key(1)),
      new ReLU(),
      new Linear(hidden, classes, key(2)),
    ]);
    const step = supervised(
      model,
      (model, { x, y }: { x: tf.Tensor; y: tf.Tensor }) => crossEntropy(model.forward(x), y) as tf.Scalar,
      adam({ lr: 1e-3 }),
    );
    const run = compile(step.run, { name: 'mlp-train' });
    return {
      async step(index) {
        const key = draws!.fold(index);
        const x = new Float32Array(batch * pixels);
        const y = new Int32Array(batch);
        for (const [row, i] of hostIntegers(key.fold(0), batch, { max: samples }).entries()) {
          x.set(images.subarray(i * pixels, (i + 1) * pixels), row * pixels);
          y[row] = labels[i]!;
        }
        const { loss } = tf.tidy(() =>
          run({ x: tf.tensor(x, [batch, pixels]), y: tf.tensor(y, [batch], 'int32') }, key.fold(1)),
        );
        const [value] = await loss!.data();
        loss!.dispose();
        return value!;
      },
      dispose: () => model.dispose(),
    };
  },
};
