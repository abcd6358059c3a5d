import * as tf from '@tensorflow/tfjs-core';

/** The pseudo-random numbers in [-1, 1) that core's fixtures/hashed.py makes too. */
export function hashedValues(shape: readonly number[], seed: number): Float32Array {
  const n = shape.reduce((product, size) => product * size, 1);
  return Float32Array.from({ length: n }, (_, i) => {
    let h = Math.imul((i + 1 + seed * 1000003) >>> 0, 2654435761) >>> 0;
    h = Math.imul(h ^ (h >>> 15), 2246822519) >>> 0;
    h = Math.imul(h ^ (h >>> 13), 3266489917) >>> 0;
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}

/** The same as a tensor, each times `factor`. */
export function hashed(shape: readonly number[], seed: number, factor = 1): tf.Tensor {
  return tf.tensor(
    hashedValues(shape, seed).map((x) => x * factor),
    [...shape],
  );
}

/** Gradients of `sum(weights · y)` with the weights `hashedValues(y.shape, seed)`, as the fixtures compute them. */
export function hashedGradients(f: (...xs: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[], seed: number) {
  return tf.grads((...xs: tf.Tensor[]) => {
    const y = f(...xs);
    return tf.sum(tf.mul(y, hashed(y.shape, seed))) as tf.Scalar;
  })(inputs);
}
