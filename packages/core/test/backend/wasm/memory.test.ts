import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { numbers } from '../on-backend';

// XNNPACK packs the weights of each convolution and product and keeps them by the tensor's number. Weights that change
// every step must not fill the heap with what is packed of the old ones: 300 steps here would be more than 100 MB.

function heapBytes(): number {
  const { wasm } = tf.backend() as unknown as { wasm?: { HEAPU8: Uint8Array } };
  return wasm?.HEAPU8.length ?? 0;
}

test('weights that change every step leave nothing in the heap', () => {
  const filter = tf.variable(numbers([4, 4, 32, 64]) as tf.Tensor4D);
  const dense = tf.variable(numbers([256, 64], 2) as tf.Tensor2D);
  const x = numbers([1, 4, 4, 32], 3) as tf.Tensor4D;
  const steps = (count: number) => {
    for (let i = 0; i < count; i++) {
      tf.tidy(() => {
        const { grads } = tf.variableGrads(() => {
          const y = tf.conv2d(x, filter, 2, [
            [0, 0],
            [1, 1],
            [1, 1],
            [0, 0],
          ]); // (1, 2, 2, 64)
          const up = tf.conv2dTranspose(y, filter, [1, 4, 4, 32], 2, [
            [0, 0],
            [1, 1],
            [1, 1],
            [0, 0],
          ]);
          return tf.add(
            tf.sum(tf.square(up)),
            tf.sum(tf.square(tf.matMul(tf.reshape(y, [1, 256]), dense))),
          ) as tf.Scalar;
        });
        for (const v of [filter, dense]) v.assign(tf.sub(v, tf.mul(grads[v.name]!, 1e-9)) as never);
      });
    }
  };
  // A heap that grows does so in large pieces; so count from a full one.
  steps(20);
  const before = { bytes: heapBytes(), tensors: tf.memory().numTensors, held: tf.backend().numDataIds() };
  steps(tf.getBackend() === 'wasm' ? 300 : 3);
  expect({ bytes: heapBytes(), tensors: tf.memory().numTensors, held: tf.backend().numDataIds() }).toEqual(
    before,
  );
  tf.dispose([filter, dense, x]);
});
