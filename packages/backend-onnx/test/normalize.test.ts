import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { expectNative } from './agree';
import { numbers } from './on-cpu';

describe('local response normalization', () => {
  it.each([
    [1, 7],
    [5, 3],
    [2, 1],
  ])('radius %i, %i channels', (radius, channels) => {
    const x = numbers([2, 3, 2, channels]) as tf.Tensor4D;
    const run = (a: tf.Tensor) => tf.localResponseNormalization(a as tf.Tensor4D, radius, 1.5, 0.3, 0.75);
    expectNative(() => run(x), 1e-5);
    const loss = (a: tf.Tensor) => tf.sum(tf.mul(run(a), numbers(x.shape, 2)));
    expectNative(() => tf.grad(loss)(x), 1e-5);
  });
});

it('batch normalization by given statistics', () => {
  const x = numbers([2, 3, 4, 5]) as tf.Tensor4D;
  const [mean, variance] = [numbers([5], 2), tf.square(numbers([5], 3))] as [tf.Tensor1D, tf.Tensor1D];
  const [offset, scale] = [numbers([5], 4), numbers([5], 5)] as [tf.Tensor1D, tf.Tensor1D];
  const values = tf.tensor1d(variance.dataSync());
  expectNative(() => tf.batchNorm(x, mean, values, offset, scale, 0.1), 1e-5);
  expectNative(() => tf.batchNorm(x, mean, values, undefined, undefined, 0.1), 1e-5);
});
