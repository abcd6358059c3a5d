import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/**
 * Compares the gradient of `sum(weights · f(...xs))` with central finite differences, for every input.
 * The weights are fixed pseudo-random numbers, so that no gradient entry is trivially one.
 */
export function checkGradients(
  f: (...xs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  { step = 1e-2, tolerance = 2e-2 } = {},
): void {
  const loss = (...xs: tf.Tensor[]): tf.Scalar =>
    tf.tidy(() => {
      const y = f(...xs);
      const weights = tf.tensor(
        Float32Array.from({ length: y.size }, (_, i) => Math.sin(1.7 * i + 0.3)),
        y.shape,
      );
      return tf.sum(tf.mul(y, weights)) as tf.Scalar;
    });
  const grads = tf.grads(loss)(inputs);
  inputs.forEach((input, k) => {
    const values = Float32Array.from(input.dataSync());
    const numeric = new Float32Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const at = (delta: number) =>
        tf.tidy(() => {
          const moved = values.slice();
          moved[i] = moved[i]! + delta;
          return loss(...inputs.map((x, j) => (j === k ? tf.tensor(moved, input.shape) : x))).dataSync()[0]!;
        });
      numeric[i] = (at(step) - at(-step)) / (2 * step);
    }
    expect(grads[k]!, `gradient of input ${k}`).toBeAllClose(numeric, tolerance);
  });
  tf.dispose(grads);
}
