import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectNative, fallbacks } from './agree';
import { numbers } from './on-cpu';

const sizes = [
  ['twice', [2, 3, 4, 3], [6, 8]],
  ['half', [2, 6, 8, 3], [3, 4]],
  ['odd', [1, 5, 4, 2], [7, 9]],
  ['smaller, odd', [2, 9, 7, 1], [4, 5]],
  ['one pixel to many', [2, 1, 1, 3], [3, 4]],
  ['many to one pixel', [2, 4, 3, 3], [1, 1]],
  ['a line', [1, 1, 5, 2], [1, 8]],
  ['the same size', [1, 4, 4, 2], [4, 4]],
] as [string, [number, number, number, number], [number, number]][];
const modes = [
  ['plain', false, false],
  ['corners', true, false],
  ['half pixels', false, true],
] as const;

describe.each(['resizeBilinear', 'resizeNearestNeighbor'] as const)('%s', (name) => {
  describe.each(modes)('%s', (_, corners, half) => {
    it.each(sizes)('%s', (_name, shape, size) => {
      const resize = (a: tf.Tensor) => tf.image[name](a as tf.Tensor4D, size, corners, half);
      expectNative(() => resize(numbers(shape)), 1e-5);

      // Resizing is linear, so x · ∇⟨y, dy⟩ = ⟨y, dy⟩ for every x. tfjs cpu's own gradients are wrong for images that
      // are not square, and for batches.
      const before = fallbacks();
      const loss = (a: tf.Tensor) => {
        const y = resize(a);
        return tf.sum(tf.mul(y, numbers(y.shape, 3)));
      };
      const slope = tf.grad(loss)(numbers(shape, 1));
      for (const seed of [4, 5, 6]) {
        const x = numbers(shape, seed);
        const [left, right] = [tf.sum(tf.mul(x, slope)).dataSync()[0]!, loss(x).dataSync()[0]!];
        expect(Math.abs(left - right)).toBeLessThan(1e-4 * (1 + Math.abs(right)));
      }
      expect(fallbacks()).toEqual(before);
    });
  });
});
