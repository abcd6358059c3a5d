import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectNative } from './agree';
import { numbers } from './on-cpu';

const ints = (values: number[], shape: number[]) => tf.tensor(values, shape, 'int32');

describe('top k', () => {
  it.each([1, 2, 5])('%i of 5, ties and integers included', (k) => {
    for (const dtype of ['float32', 'int32'] as const) {
      const x = tf.cast(tf.mul(numbers([2, 3, 5]), 1.5), dtype);
      for (const part of ['values', 'indices'] as const) expectNative(() => tf.topk(x, k)[part]);
    }
  });

  it('sends its gradient back', () => {
    expectNative(() =>
      tf.grad((x) => tf.sum(tf.mul(tf.topk(x, 2).values, numbers([3, 2], 4))))(numbers([3, 6])),
    );
  });
});

it.each(['left', 'right'] as const)('sorted search from the %s', (side) => {
  const sorted = tf.tensor2d([1, 3, 3, 5, 8, 0, 2, 2, 2, 9], [2, 5]);
  const values = tf.tensor2d([3, 0, 9, 2, 9, 10], [2, 3]);
  expectNative(() => tf.searchSorted(sorted, values, side));
});

it('positions of the largest and smallest numbers, whatever is not a number', () => {
  // Not in the first place, where tfjs cpu never leaves it.
  const x = tf.tensor2d([1, 4, 3, -2, 6, -5, Number.NaN, Number.NaN], [2, 4]);
  for (const axis of [0, 1]) {
    expectNative(() => tf.argMax(x, axis));
    expectNative(() => tf.argMin(x, axis));
  }
});

describe('histograms', () => {
  const x = ints([0, 3, 3, 1, 7, 3], [6]);
  it('count, and leave out what is too large', () => {
    expectNative(() => tf.bincount(x as tf.Tensor1D, [] as never, 5));
    expectNative(() => tf.bincount(x as tf.Tensor1D, [1, 2, 0.5, 1, 1, 3], 5));
    expect(() => tf.bincount(ints([1, -1], [2]) as tf.Tensor1D, [] as never, 5)).toThrow(/non-negative/);
  });
  it.each([true, false])('by rows, whether or how often: %s', (binary) => {
    const rows = tf.reshape(x, [2, 3]) as tf.Tensor2D;
    expectNative(() => tf.denseBincount(rows, [] as never, 4, binary));
  });
});

describe('updates', () => {
  const x = numbers([4, 3, 2]);
  it.each([
    ['rows', [[2], [0]], [2, 3, 2]],
    [
      'elements',
      [
        [2, 1, 0],
        [0, 2, 1],
        [3, 0, 0],
      ],
      [3],
    ],
    [
      'rows of rows',
      [
        [1, 2],
        [3, 0],
      ],
      [2, 2],
    ],
  ] as [string, number[][], number[]][])('of %s', (_, indices, shape) => {
    const at = tf.tensor2d(indices, undefined, 'int32');
    const updates = numbers(shape, 2);
    const before = [...x.dataSync()];
    // tfjs cpu writes into the tensor that it is given.
    expectNative(() => tf.tensorScatterUpdate(tf.add(x, 0), at, updates));
    expect([...x.dataSync()]).toEqual(before);
    expectNative(() => tf.scatterND(at, updates, [4, 3, 2]));
    expectNative(() => tf.gatherND(x, at));
  });

  it('of integers', () => {
    const at = ints([1, 1], [2, 1]);
    expectNative(() => tf.scatterND(at, ints([3, 4], [2]), [3]));
    expectNative(() => tf.tensorScatterUpdate(ints([5, 6, 7], [3]), ints([2], [1, 1]), ints([9], [1])));
  });

  it('sparse to dense', () => {
    expectNative(() => tf.sparseToDense(ints([1, 3], [2]), tf.tensor1d([2, 3]), [5], -1));
    expectNative(() => tf.sparseToDense(ints([0, 1, 2, 2], [2, 2]), tf.tensor1d([2, 3]), [3, 4]));
    expectNative(() => tf.sparseToDense(ints([1, 3], [2]), tf.scalar(7), [5], 0.5));
  });

  it('segments', () => {
    const ids = ints([1, 0, 1, 3], [4]) as tf.Tensor1D;
    expectNative(() => tf.unsortedSegmentSum(numbers([4, 3]), ids, 3));
    expectNative(() => tf.unsortedSegmentSum(ints([1, 2, 3, 4], [4]), ids, 4));
  });
});

it('diagonals', () => {
  expectNative(() => tf.diag(tf.tensor1d([1, 2, 3])));
  expectNative(() => tf.diag(ints([1, 2, 3, 4], [2, 2])));
});
