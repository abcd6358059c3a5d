import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { expectNative } from './agree';
import { numbers } from './on-cpu';

type Five = [number, number, number, number, number];

describe('3-D convolutions agree with the cpu backend', () => {
  it.each([
    ['k3 s1 same', [2, 4, 5, 6, 2], [3, 3, 3, 2, 3], [1, 1, 1], 'same'],
    ['k2 s2', [1, 5, 4, 6, 2], [2, 2, 2, 2, 3], [2, 2, 2], 'valid'],
    ['pointwise', [2, 3, 4, 2, 3], [1, 1, 1, 3, 2], [1, 1, 1], 'valid'],
    ['frames that nobody reads', [1, 8, 5, 5, 1], [2, 3, 3, 1, 2], [3, 2, 1], 'valid'],
    ['flat kernel', [2, 3, 5, 4, 2], [1, 3, 2, 2, 2], [1, 1, 2], 'same'],
    ['deep kernel', [1, 6, 3, 3, 2], [4, 1, 1, 2, 2], [1, 1, 1], 'same'],
  ] as [string, Five, Five, [number, number, number], 'same' | 'valid'][])(
    '%s',
    (_, x, filter, stride, pad) => {
      const [a, w] = [numbers(x, 1), numbers(filter, 2)];
      const conv = (image: tf.Tensor, weights: tf.Tensor) =>
        tf.conv3d(image as tf.Tensor5D, weights as tf.Tensor5D, stride, pad);
      expectNative(() => conv(a, w), 1e-6);
      const loss = (image: tf.Tensor, weights: tf.Tensor) => {
        const y = conv(image, weights);
        return tf.sum(tf.mul(y, numbers(y.shape, 3)));
      };
      for (const i of [0, 1] as const) expectNative(() => tf.grads(loss)([a, w])[i]!, 1e-5);
    },
  );

  it('dilated', () => {
    expectNative(() =>
      tf.conv3d(
        numbers([1, 7, 6, 5, 2]) as tf.Tensor5D,
        numbers([2, 2, 2, 2, 2], 2) as tf.Tensor5D,
        1,
        'same',
        'NDHWC',
        [2, 2, 2],
      ),
    );
  });
});
