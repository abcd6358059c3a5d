import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { oneHot } from '../../../src/ops';
import { numbers } from '../on-backend';

// Kernels that wasm needs corrected, held to plain arithmetic on every backend.

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

/** The sum in double precision, axis by axis. */
function exactSum(x: tf.Tensor, axes: number[]): Float64Array {
  const kept = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
  const sums = new Float64Array(kept.reduce((a, b) => a * b, 1));
  const strides = kept.map((_, i) => kept.slice(i + 1).reduce((a, b) => a * b, 1));
  x.dataSync().forEach((value, flat) => {
    let at = 0;
    let rest = flat;
    for (let d = x.rank - 1; d >= 0; d--) {
      const i = rest % x.shape[d]!;
      rest = (rest - i) / x.shape[d]!;
      if (kept[d] !== 1) at += i * strides[d]!;
    }
    sums[at]! += value;
  });
  return sums;
}

test.each<{ shape: number[]; axes: number[] }>([
  { shape: [96, 40], axes: [0] },
  { shape: [4096, 1], axes: [0] },
  { shape: [8, 6, 5, 12], axes: [0, 1, 2] },
  { shape: [8, 6, 5, 12], axes: [1, 2] },
  { shape: [8, 6, 5, 12], axes: [2] },
  { shape: [8, 6, 5, 12], axes: [0, 2] },
  { shape: [8, 6, 5, 12], axes: [1, 3] },
  { shape: [8, 6, 5, 12], axes: [3] },
  { shape: [8, 6, 5, 12], axes: [0, 1, 2, 3] },
  { shape: [3, 1, 900, 1], axes: [1, 2] },
  { shape: [4, 3], axes: [0] },
])('sums and means of $shape over $axes', ({ shape, axes }) => {
  const x = tf.add(numbers(shape), 0.5);
  const exact = exactSum(x, axes);
  const count = x.size / exact.length;
  const reduced = shape.filter((_, i) => !axes.includes(i));
  const ones = shape.map((size, i) => (axes.includes(i) ? 1 : size));
  expect(tf.sum(x, axes)).toBeAllClose(tf.tensor(Float32Array.from(exact), reduced), 1e-6);
  expect(tf.sum(x, axes, true).shape).toEqual(ones);
  const means = Float32Array.from(exact, (s) => s / count);
  expect(tf.mean(x, axes, true)).toBeAllClose(tf.tensor(means, ones), 1e-6);
  const negative = axes.map((axis) => axis - shape.length).reverse();
  expect(tf.sum(x, negative).shape).toEqual(reduced);
});

test('sums of integers stay integers', () => {
  const x = tf.fill([100, 30], 7, 'int32');
  const y = tf.sum(x, 0);
  expect(y.dtype).toBe('int32');
  expect(y).toBeAllClose(tf.fill([30], 700, 'int32'));
});

test('a sum has its gradient, twice', () => {
  const x = numbers([64, 40]);
  const f = (z: tf.Tensor) => tf.sum(tf.square(tf.sum(tf.square(z), 0)));
  const penalty = (z: tf.Tensor) => tf.sum(tf.square(tf.grad(f)(z)));
  const s = tf.sum(tf.square(x), 0, true);
  expect(tf.grad(f)(x)).toBeAllClose(tf.mul(tf.mul(x, s), 4), 1e-5);
  // penalty = 16 Σ x² s², with s = Σ x²: 16 s³ per column, whose gradient is 96 s² x.
  expect(tf.grad(penalty)(x)).toBeAllClose(tf.mul(tf.mul(x, tf.square(s)), 96), 1e-5);
});

test('one-hot rows are of the type that was asked for', () => {
  const indices = tf.tensor2d([[2, 0]], [1, 2], 'int32');
  const rows = [0, 0, 1, 1, 0, 0];
  for (const dtype of ['float32', 'int32'] as const) {
    const y = oneHot(indices, 3, dtype);
    expect(y.dtype).toBe(dtype);
    expect(y.shape).toEqual([1, 2, 3]);
    expect(Array.from(y.dataSync())).toEqual(rows);
  }
  expect(tf.oneHot(indices, 3, 0.5, 0.25, 'float32')).toBeAllClose(rows.map((r) => (r ? 0.5 : 0.25)));
  expect(tf.oneHot(tf.tensor1d([-1, 3], 'int32'), 3, 1, 0, 'float32')).toBeAllClose([0, 0, 0, 0, 0, 0]);
});
