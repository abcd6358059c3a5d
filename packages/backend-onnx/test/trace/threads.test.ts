import * as tf from '@tensorflow/tfjs-core';
import { expect, it, vi } from 'vitest';
import type { OnnxBackend } from '../../src/backend';

/** Threads of the sessions that `body` compiles. */
function threadsOf(body: () => tf.Tensor): (number | undefined)[] {
  const { runtime } = tf.backend() as OnnxBackend;
  const compiled = vi.spyOn(runtime, 'compileSync' as never) as unknown as {
    mockRestore(): void;
    mock: { calls: [model: unknown, options: { threads?: number }][] };
  };
  tf.tidy(() => body().dataSync());
  const { calls } = compiled.mock;
  compiled.mockRestore();
  return calls.map(([, { threads }]) => threads);
}

it('gives one thread to a program that is small', () => {
  const { threads: all } = tf.backend() as OnnxBackend;
  const product = (rows: number) => () => tf.matMul(tf.zeros([rows, 500]), tf.ones([500, 500]));
  expect(threadsOf(product(90))).toEqual([1]); // 45 million operations
  expect(threadsOf(product(110))).toEqual([all]);
});

it('gives all threads to one of few operations on many elements', () => {
  const { threads: all } = tf.backend() as OnnxBackend;
  expect(threadsOf(() => tf.exp(tf.ones([1000])))).toEqual([1]);
  expect(threadsOf(() => tf.exp(tf.ones([1_100_000])))).toEqual([all]);
});
