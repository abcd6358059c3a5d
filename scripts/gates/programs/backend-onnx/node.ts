import '@poiesis/backend-onnx';
import { Linear, mse, randomKey, sgd, supervised, train, useBackend } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** What `useBackend()` takes, and a line learned by compiled steps. */
async function main(): Promise<void> {
  const { name } = await useBackend();
  const model = new Linear(1, 1, { key: randomKey(1) });
  const fit = (m: Linear, { x }: { x: tf.Tensor }): tf.Scalar =>
    mse(m.forward(x), tf.sub(tf.mul(x, 3), 1)) as tf.Scalar;
  const batches = {
    *[Symbol.iterator](): Generator<{ x: tf.Tensor }> {
      for (let i = 0; ; i++) yield { x: tf.tensor([[i % 3], [-(i % 2)]]) };
    },
  };
  for await (const _ of train(supervised(model, fit, sgd({ lr: 0.1 })), batches, { steps: 300 }));
  console.log(name, model.weight.dataSync()[0]?.toFixed(3), model.bias?.dataSync()[0]?.toFixed(3));
}

main();
