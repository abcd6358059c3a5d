import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { expectNative } from './agree';
import { numbers } from './on-cpu';

describe('limits', () => {
  it.each([
    [0, Number.POSITIVE_INFINITY],
    [Number.NEGATIVE_INFINITY, 0.5],
    [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    [-1, 1],
  ])('from %d to %d', (min, max) => {
    expectNative(() => tf.clipByValue(numbers([3, 4]), min, max));
    expectNative(() => tf.clipByValue(tf.cast(tf.mul(numbers([3, 4]), 8), 'int32'), min, max));
  });
});

describe('borders', () => {
  it.each([Number.NEGATIVE_INFINITY, -2.5, 0])('of %d', (value) => {
    expectNative(() =>
      tf.pad(
        numbers([2, 3]),
        [
          [1, 0],
          [0, 2],
        ],
        value,
      ),
    );
  });
  it('of booleans', () => {
    const x = tf.tensor2d([1, 0, 1, 1], [2, 2], 'bool');
    expectNative(() =>
      tf.pad(
        x,
        [
          [1, 0],
          [0, 1],
        ],
        1,
      ),
    );
    expectNative(() =>
      tf.pad(x, [
        [1, 0],
        [0, 1],
      ]),
    );
  });
});
