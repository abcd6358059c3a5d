import { checkGradients, expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { ArgumentError } from '../../src/errors';
import { updateRows } from '../../src/ops';

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

const counting = (shape: number[], from = 0, dtype: 'float32' | 'int32' = 'float32') =>
  tf.reshape(tf.range(from, from + shape.reduce((a, b) => a * b), 1, dtype), shape);

describe('updateRows', () => {
  // torch: cache.clone(); cache[..., p:p + n, :] = rows
  it.each([0, 1, 3])('replaces the rows from %i on', (position) => {
    const cache = counting([2, 1, 5, 3]);
    const rows = counting([2, 1, 2, 3], 100);
    const [before, between, after] = [
      tf.slice(cache, [0, 0, 0, 0], [2, 1, position, 3]),
      rows,
      tf.slice(cache, [0, 0, position + 2, 0], [2, 1, 3 - position, 3]),
    ];
    const parts = [before, between, after].filter(({ size }) => size > 0);
    const expected = [...tf.concat(parts, 2).dataSync()];
    expect([...updateRows(cache, rows, position).dataSync()]).toEqual(expected);
    expect([...updateRows(cache, rows, tf.scalar(position, 'int32')).dataSync()]).toEqual(expected);
  });

  it('takes matrices, whole numbers, and rows for all of the cache', () => {
    const [cache, row] = [counting([3, 2], 0, 'int32'), counting([1, 2], 10, 'int32')];
    const y = updateRows(cache, row, 2);
    expect([y.dtype, ...y.dataSync()]).toEqual(['int32', 0, 1, 2, 3, 10, 11]);
    expect([...updateRows(cache, counting([3, 2], 5, 'int32'), 0).dataSync()]).toEqual([5, 6, 7, 8, 9, 10]);
  });

  it('keeps what is not finite where it was', () => {
    const y = updateRows(
      tf.tensor2d([Number.NaN, 1, Number.POSITIVE_INFINITY], [3, 1]),
      tf.tensor2d([[-Infinity]]),
      1,
    );
    expect([...y.dataSync()]).toEqual([Number.NaN, -Infinity, Number.POSITIVE_INFINITY]);
  });

  it('has gradients for the rows and for what they leave of the cache', () => {
    const weights = counting([2, 4, 3]);
    checkGradients(
      (cache, rows) => tf.sum(tf.mul(tf.square(updateRows(cache!, rows!, 1)), weights)) as tf.Scalar,
      [tf.div(counting([2, 4, 3]), 24), tf.div(counting([2, 2, 3], 5), 24)],
    );
  });

  test.each<[string, () => tf.Tensor]>([
    ['cache', () => updateRows(tf.zeros([3]), tf.zeros([1]), 0)],
    ['rows', () => updateRows(tf.zeros([3, 2]), tf.zeros([1, 3]), 0)],
    ['rows', () => updateRows(tf.zeros([3, 2]), tf.zeros([4, 2]), 0)],
    ['rows', () => updateRows(tf.zeros([3, 2]), tf.zeros([1, 2], 'int32'), 0)],
    ['position', () => updateRows(tf.zeros([3, 2]), tf.zeros([2, 2]), 2)],
    ['position', () => updateRows(tf.zeros([3, 2]), tf.zeros([2, 2]), 0.5)],
    ['position', () => updateRows(tf.zeros([3, 2]), tf.zeros([1, 2]), tf.scalar(3, 'int32'))],
    ['position', () => updateRows(tf.zeros([3, 2]), tf.zeros([1, 2]), tf.scalar(1))],
  ])('refuses a wrong %s', (argument, call) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(`updateRows(${argument})`);
  });

  it('leaves nothing behind', () => {
    const [cache, rows] = [tf.zeros([3, 2]), tf.ones([1, 2])];
    return expectNoLeak(() => tf.dispose(updateRows(cache, rows, 1)));
  });
});
