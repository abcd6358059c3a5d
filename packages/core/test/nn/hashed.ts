import * as tf from '@tensorflow/tfjs-core';
import { type HostTensor, hostTensor } from '../../src/checkpoint';

/** The pseudo-random numbers in [-1, 1) that fixtures/hashed.py makes too. */
export function hashedValues(shape: readonly number[], seed: number): Float32Array {
  const n = shape.reduce((product, size) => product * size, 1);
  return Float32Array.from({ length: n }, (_, i) => {
    let h = Math.imul((i + 1 + seed * 1000003) >>> 0, 2654435761) >>> 0;
    h = Math.imul(h ^ (h >>> 15), 2246822519) >>> 0;
    h = Math.imul(h ^ (h >>> 13), 3266489917) >>> 0;
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}

export function hashed(shape: readonly number[], seed: number): tf.Tensor {
  return tf.tensor(hashedValues(shape, seed), [...shape]);
}

/** The same as an entry of a state dict, in the layout on disk. */
export function hashedOnDisk(shape: readonly number[], seed: number): HostTensor {
  return hostTensor(hashedValues(shape, seed), shape);
}

/** Gradients of `sum(weights · y)` with the weights `hashedValues(y.shape, seed)`, as the fixtures compute them. */
export function gradients(f: (...xs: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[], seed: number) {
  return tf.grads((...xs: tf.Tensor[]) => {
    const y = f(...xs);
    return tf.sum(tf.mul(y, hashed(y.shape, seed))) as tf.Scalar;
  })(inputs);
}
