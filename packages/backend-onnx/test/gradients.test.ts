import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { OnnxBackend } from '../src/backend';

const reducers = { sum: tf.sum, mean: tf.mean };
const data = Array.from({ length: 24 }, (_, i) => Math.sin(i));
afterEach(() => {
  vi.restoreAllMocks();
  tf.setBackend('onnx');
});

function slopes(reduce: 'sum' | 'mean', axis: number[] | undefined, backend: string): number[] {
  tf.setBackend(backend);
  return tf.tidy(() => {
    const loss = (x: tf.Tensor) => tf.sum(tf.square(reducers[reduce](tf.mul(x, x), axis))) as tf.Scalar;
    const first = tf.grad((x) => loss(x));
    // Of the second order, through the gradient itself.
    const second = tf.grad((x) => tf.sum(tf.square(first(x))));
    const x = tf.tensor(data, [2, 3, 4]);
    return [...first(x).dataSync(), ...second(x).dataSync()];
  });
}

describe.each(['sum', 'mean'] as const)('the gradient of %s', (reduce) => {
  it.each([undefined, [0], [1, 2], [-1]])('over %s is cpu’s', (axis) => {
    const expected = slopes(reduce, axis, 'cpu');
    const actual = slopes(reduce, axis, 'onnx');
    const scale = Math.max(...expected.map(Math.abs));
    for (const [i, value] of actual.entries())
      expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-6 * scale);
  });

  it('makes no array of the host in the size of its input', () => {
    const write = vi.spyOn(tf.backend() as OnnxBackend, 'write');
    tf.tidy(() => {
      const x = tf.variable(tf.fill([100, 100], 0.5));
      tf.grad((x) => reducers[reduce](tf.square(x)))(x).dataSync();
      x.dispose();
    });
    const sizes = write.mock.calls.map(([, shape]) => shape.reduce((n, d) => n * d, 1));
    expect(Math.max(0, ...sizes)).toBeLessThan(100);
  });
});
