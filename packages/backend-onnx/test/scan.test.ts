import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectNative } from './agree';
import { numbers } from './on-cpu';

describe.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])('running sums and products, exclusive %s, reverse %s', (exclusive, reverse) => {
  it.each([0, 1, 2])('along axis %i', (axis) => {
    const x = numbers([3, 7, 2]);
    expectNative(() => tf.cumsum(x, axis, exclusive, reverse), 1e-5);
    expectNative(() => tf.cumprod(x, axis, exclusive, reverse), 1e-5);
    expectNative(() => tf.grad((a) => tf.sum(tf.square(tf.cumprod(a, axis, exclusive, reverse))))(x), 1e-4);
    expectNative(() => tf.cumprod(tf.cast(x, 'int32'), axis, exclusive, reverse));
  });
});

it('angles', () => {
  const [y, x] = [tf.tensor1d([0, 0, 1, -1, 2, -2, 2, -2, 0]), tf.tensor1d([1, -1, 0, 0, 3, 3, -3, -3, 0])];
  expectNative(() => tf.atan2(y, x), 1e-6);
  expectNative(() => tf.atan2(numbers([3, 1]), numbers([4], 2)), 1e-6);
});

it('bits', () => {
  const [a, b] = [tf.tensor1d([6, -1, 5], 'int32'), tf.tensor1d([3, 12, 5], 'int32')];
  expectNative(() => tf.bitwiseAnd(a, b));
});

it('sequences are constants of the host', () => {
  expectNative(() => tf.range(2, 11, 3));
  expectNative(() => tf.range(5, 0));
  expectNative(() => tf.range(0, 1, 0.1));
  expectNative(() => tf.range(0, 5, 1, 'int32'));
  expectNative(() => tf.linspace(0, 1, 7));
  expect(tf.range(3, 3).shape).toEqual([0]);
});
