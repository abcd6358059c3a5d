import * as tf from '@tensorflow/tfjs-core';
import { fromHost } from '../compile';
import { checkArgument } from '../errors';
import {
  hostBernoulli,
  hostDropoutMask,
  hostGumbel,
  hostIntegers,
  hostNormal,
  hostTruncatedNormal,
  hostUniform,
  type IntegersOptions,
  type NormalOptions,
  type TruncatedNormalOptions,
  type UniformOptions,
} from './host';
import type { Key } from './key';

// Draws as tensors. The numbers are made on the host and handed over as inputs, so a replayed step draws anew from
// the key that it is given. The caller owns what comes back.

type Shape = number[];

/** Normal numbers, float32: mean 0 and standard deviation 1 unless told otherwise. */
export function normal<R extends tf.Rank = tf.Rank>(
  key: Key,
  shape: tf.ShapeMap[R],
  options: NormalOptions = {},
): tf.Tensor<R> {
  const n = size('normal', shape);
  return fromHost<R>(() => hostNormal(key, n, options), shape, 'float32');
}

/** Uniform numbers in [min, max), float32: [0, 1) unless told otherwise. */
export function uniform<R extends tf.Rank = tf.Rank>(
  key: Key,
  shape: tf.ShapeMap[R],
  options: UniformOptions = {},
): tf.Tensor<R> {
  const n = size('uniform', shape);
  return fromHost<R>(() => hostUniform(key, n, options), shape, 'float32');
}

/** Normal numbers that fall into [min, max], by default two standard deviations around the mean; float32. */
export function truncatedNormal<R extends tf.Rank = tf.Rank>(
  key: Key,
  shape: tf.ShapeMap[R],
  options: TruncatedNormalOptions = {},
): tf.Tensor<R> {
  const n = size('truncatedNormal', shape);
  return fromHost<R>(() => hostTruncatedNormal(key, n, options), shape, 'float32');
}

/** Coin flips, bool: true with probability `p`. */
export function bernoulli<R extends tf.Rank = tf.Rank>(
  key: Key,
  p: number,
  shape: tf.ShapeMap[R],
): tf.Tensor<R> {
  const n = size('bernoulli', shape);
  return fromHost<R>(() => hostBernoulli(key, p, n), shape, 'bool');
}

/** Integers in [min, max), int32, each equally likely. */
export function integers<R extends tf.Rank = tf.Rank>(
  key: Key,
  shape: tf.ShapeMap[R],
  options: IntegersOptions,
): tf.Tensor<R> {
  const n = size('integers', shape);
  return fromHost<R>(() => hostIntegers(key, n, options), shape, 'int32');
}

/** Factors of inverted dropout, float32: 0 with probability `rate`, otherwise 1 / (1 − rate). */
export function dropoutMask<R extends tf.Rank = tf.Rank>(
  key: Key,
  rate: number,
  shape: tf.ShapeMap[R],
): tf.Tensor<R> {
  const n = size('dropoutMask', shape);
  return fromHost<R>((room) => hostDropoutMask(key, rate, n, room), shape, 'float32');
}

/**
 * Draws categories with the probabilities softmax(logits), by the Gumbel maximum, without reading the logits.
 * @param logits `[..., classes]`, not disposed; −∞ excludes a category.
 * @param n draws for each row. Left out: one, and no axis for it.
 * @returns int32, `[...]` without `n`, `[..., n]` with it.
 */
export function categorical(key: Key, logits: tf.Tensor, n?: number): tf.Tensor {
  const classes = logits.shape.at(-1) ?? 0;
  checkArgument(classes > 0, 'categorical', 'logits', '[..., classes]', logits.shape);
  checkArgument(
    n === undefined || (Number.isInteger(n) && n > 0),
    'categorical',
    'n',
    'a positive integer',
    n,
  );
  return tf.tidy(() => {
    const rows = logits.shape.slice(0, -1);
    const shape = [...rows, n ?? 1, classes];
    const count = size('categorical', shape);
    const noise = fromHost(() => hostGumbel(key, count), shape, 'float32');
    const picked = tf.argMax(tf.add(tf.expandDims(logits, -2), noise), -1); // [..., n]
    return n === undefined ? tf.reshape(picked, rows) : picked;
  });
}

function size(fn: string, shape: readonly number[]): number {
  checkArgument(
    Array.isArray(shape) && shape.every((d) => Number.isInteger(d) && d >= 0),
    fn,
    'shape',
    'integers ≥ 0',
    shape,
  );
  return (shape as Shape).reduce((product, d) => product * d, 1);
}
