import * as tf from '@tensorflow/tfjs-core';
import {
  hostNormal,
  hostTruncatedNormal,
  hostUniform,
  type Key,
  type NormalOptions,
  type TruncatedNormalOptions,
  type UniformOptions,
} from '../random';

/** How many inputs an output sums over, and how many outputs an input reaches, counted as PyTorch counts them. */
export interface Fan {
  in: number;
  out: number;
}

/**
 * Makes the first value of a weight. `shape` is the layout in memory (convolutions `[kh, kw, in / groups, out]`,
 * linear `[out, in]`). The caller owns the result.
 */
export type Initializer = (key: Key, shape: readonly number[], fan: Fan) => tf.Tensor;

/** Normal with the given mean (default 0) and standard deviation (default 1). */
export function normalInit(options: NormalOptions = {}): Initializer {
  return (key, shape) => draw(shape, (n) => hostNormal(key, n, options));
}

/** Uniform in `[min, max)`, default `[0, 1)`. */
export function uniformInit(options: UniformOptions = {}): Initializer {
  return (key, shape) => draw(shape, (n) => hostUniform(key, n, options));
}

/**
 * Normal, drawn anew where it would fall outside `[min, max]`: by default two standard deviations around the mean,
 * as in Keras and JAX. PyTorch's `trunc_normal_` has −2 and 2 there whatever the deviation: say so for the same.
 */
export function truncatedNormalInit(options: TruncatedNormalOptions = {}): Initializer {
  return (key, shape) => draw(shape, (n) => hostTruncatedNormal(key, n, options));
}

/** All zeros. */
export function zerosInit(): Initializer {
  return constantInit(0);
}

/** All ones. */
export function onesInit(): Initializer {
  return constantInit(1);
}

/** The same number everywhere. */
export function constantInit(value: number): Initializer {
  return (_key, shape) => tf.fill([...shape], value);
}

/** A float32 tensor of numbers made on the host. */
export function draw(shape: readonly number[], make: (n: number) => Float32Array): tf.Tensor {
  const n = shape.reduce((product, size) => product * size, 1);
  return tf.tensor(make(n), [...shape]);
}
