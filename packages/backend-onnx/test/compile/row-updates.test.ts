import { compile, updateRows } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import type { OnnxBackend } from '../../src/backend';

const dataOf = (x: tf.Tensor) => (tf.backend() as OnnxBackend).recordedAs(x).data;
const row = (value: number) => tf.fill([1, 2], value);
const at = (position: number) => tf.scalar(position, 'int32');

describe('a compiled step that writes rows of a variable', () => {
  const made: tf.Variable[] = [];
  const cacheOf = (values: number[]) => {
    const cache = tf.variable(tf.tensor2d(values, [values.length / 2, 2]), false);
    made.push(cache);
    return cache;
  };
  afterEach(() => {
    tf.dispose(made.splice(0));
  });
  const append = (cache: tf.Variable) =>
    compile(
      (rows: tf.Tensor, position: tf.Scalar) => {
        const now = updateRows(cache, rows, position);
        cache.assign(now as never);
        return tf.sum(now);
      },
      { check: 0 },
    );
  const call = (run: ReturnType<typeof append>, value: number, position: number) =>
    tf.tidy(() => run(row(value), at(position)).dataSync()[0]);

  it('writes into the data that is there, at any position', () => {
    const cache = cacheOf([0, 0, 0, 0, 0, 0]);
    const run = append(cache);
    expect(call(run, 1, 0)).toBe(2);
    expect(call(run, 2, 2)).toBe(6);
    const data = dataOf(cache);
    expect(call(run, 3, 1)).toBe(12);
    expect(call(run, 5, 0)).toBe(20);
    expect(dataOf(cache)).toBe(data);
    expect([...cache.dataSync()]).toEqual([5, 5, 3, 3, 2, 2]);
  });

  it('changes no other tensor, and nothing that was read before', () => {
    const cache = cacheOf([0, 0, 0, 0]);
    const run = append(cache);
    call(run, 1, 0);
    call(run, 1, 0);
    const seen = cache.dataSync();
    const copy = tf.clone(cache);
    const pending = tf.mul(cache, 10);
    call(run, 7, 1);
    expect([...seen]).toEqual([1, 1, 0, 0]);
    expect([...copy.dataSync()]).toEqual([1, 1, 0, 0]);
    expect([...pending.dataSync()]).toEqual([10, 10, 0, 0]);
    expect([...cache.dataSync()]).toEqual([1, 1, 7, 7]);
    tf.dispose([copy, pending]);
  });

  it('follows an assignment from outside', () => {
    const cache = cacheOf([0, 0, 0, 0]);
    const run = append(cache);
    for (let i = 0; i < 3; i++) call(run, 1, 0);
    const fresh = tf.tensor2d([9, 9, 9, 9], [2, 2]);
    cache.assign(fresh as never);
    expect(call(run, 1, 1)).toBe(20);
    expect([...fresh.dataSync()]).toEqual([9, 9, 9, 9]);
    fresh.dispose();
  });

  it('copies where the old value is read as well', () => {
    const cache = cacheOf([1, 1, 1, 1]);
    const run = compile(
      (rows: tf.Tensor, position: tf.Scalar) => {
        const old = tf.sum(cache);
        cache.assign(updateRows(cache, rows, position) as never);
        return old;
      },
      { check: 0 },
    );
    expect([call(run, 2, 0), call(run, 3, 1), call(run, 4, 0), call(run, 5, 0)]).toEqual([4, 6, 10, 14]);
  });

  it('throws for a position outside, where it is computed', () => {
    const cache = cacheOf([0, 0, 0, 0]);
    const run = append(cache);
    call(run, 1, 0);
    expect(() => tf.tidy(() => run(row(1), tf.add(at(1), at(1)) as tf.Scalar).dataSync())).toThrow();
    expect([...cache.dataSync()]).toEqual([1, 1, 0, 0]);
  });
});
