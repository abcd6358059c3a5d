import { conv2d } from '@poiesis/core';
import { checkGradients, expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { imagePatches } from '../../src';

describe('imagePatches', () => {
  it('times a kernel is a convolution whose stride is its size', () => {
    const pixels = hashed([2, 4, 6, 3], 1) as tf.Tensor4D;
    const kernel = hashed([2, 2, 3, 5], 2) as tf.Tensor4D;
    const expected = conv2d(pixels, kernel, { stride: 2 }); // (2, 2, 3, 5)
    const flat = tf.reshape(imagePatches(pixels, 2), [12, 12]);
    const product = tf.matMul(flat as tf.Tensor2D, tf.reshape(kernel, [12, 5]) as tf.Tensor2D);
    expect(tf.reshape(product, [2, 2, 3, 5])).toBeAllClose(expected, 1e-6);
  });

  it('has a gradient', () => {
    checkGradients((x) => imagePatches(x as tf.Tensor4D, 2), [hashed([1, 4, 2, 3], 3)]);
  });

  it('leaves no tensors behind, and refuses sides that it does not divide', async () => {
    const pixels = tf.zeros([1, 4, 6, 3]) as tf.Tensor4D;
    await expectNoLeak(() => imagePatches(pixels, 2).dispose());
    expect(() => imagePatches(pixels, 4)).toThrow(/sides that are multiples of 4, got \[1, 4, 6, 3\]/);
  });
});
