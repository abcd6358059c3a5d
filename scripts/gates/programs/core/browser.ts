import {
  ArgumentError,
  adam,
  DataLoader,
  fromArrays,
  hostArray,
  Linear,
  mse,
  randomKey,
  supervised,
  train,
  useBackend,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** Trains a line through four points, then makes a mistake. What it prints is compared between module formats. */
async function main(): Promise<void> {
  const backend = await useBackend('cpu');
  console.log(backend.name);
  const data = fromArrays({
    x: hostArray(new Float32Array([0, 1, 2, 3]), [4, 1]),
    y: hostArray(new Float32Array([1, 3, 5, 7]), [4, 1]),
  });
  const model = new Linear(1, 1, { key: randomKey(1) });
  const loss = (m: Linear, { x, y }: { x: tf.Tensor; y: tf.Tensor }): tf.Scalar =>
    mse(m.forward(x), y) as tf.Scalar;
  const step = supervised(model, loss, adam({ lr: 0.1 }));
  const batches = new DataLoader(data, { batchSize: 4 });
  for await (const event of train(step, batches, { steps: 300, seed: 1 })) {
    if (event.type === 'done') console.log(event.reason, event.step);
  }
  const [weight, bias] = [...model.weight.dataSync(), ...model.bias!.dataSync()];
  console.log(weight!.toFixed(2), bias!.toFixed(2));
  try {
    model.forward(tf.zeros([2, 3]));
  } catch (error) {
    console.log(ArgumentError.isInstance(error), error instanceof Error ? error.message : error);
  }
}

main().catch((error) => console.log('failed', error));
