import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { expectNative } from './agree';
import { numbers } from './on-cpu';

type Four = [number, number, number, number];
interface Case {
  name: string;
  x: Four;
  filter: Four;
  stride?: [number, number];
  pad?: 'same' | 'valid' | number;
  dilation?: [number, number];
}

const cases: Case[] = [
  { name: 'k3 s1', x: [2, 6, 5, 3], filter: [3, 3, 3, 1] },
  { name: 'k3 s1, by taps', x: [2, 6, 5, 32], filter: [3, 3, 32, 1] },
  { name: 'k3 s2', x: [2, 7, 8, 3], filter: [3, 3, 3, 1], stride: [2, 2] },
  { name: 'k3 s2, by taps', x: [2, 7, 8, 32], filter: [3, 3, 32, 1], stride: [2, 2] },
  { name: 'two outputs a channel', x: [2, 6, 7, 3], filter: [3, 2, 3, 2], stride: [1, 2] },
  { name: 'two outputs a channel, by taps', x: [1, 5, 6, 32], filter: [2, 3, 32, 2] },
  { name: 'k5 with explicit padding', x: [1, 6, 7, 2], filter: [5, 5, 2, 1], pad: 2 },
  {
    name: 'pixels that no window reads',
    x: [1, 8, 8, 2],
    filter: [2, 2, 2, 1],
    stride: [3, 3],
    pad: 'valid',
  },
  { name: 'dilation', x: [1, 9, 8, 2], filter: [3, 3, 2, 1], pad: 'valid', dilation: [2, 2] },
  { name: 'batch in pieces', x: [40, 32, 32, 64], filter: [1, 3, 64, 1], stride: [1, 2] },
];

describe('depthwise convolutions agree with the cpu backend', () => {
  it.each(cases)('$name', ({ x, filter, stride = [1, 1], pad = 'same', dilation = [1, 1] }) => {
    const [a, w] = [numbers(x, 1) as tf.Tensor4D, numbers(filter, 2) as tf.Tensor4D];
    const conv = (image: tf.Tensor, weights: tf.Tensor) =>
      tf.depthwiseConv2d(image as tf.Tensor4D, weights as tf.Tensor4D, stride, pad, 'NHWC', dilation);
    expectNative(() => conv(a, w), 1e-6);
    const loss = (image: tf.Tensor, weights: tf.Tensor) => {
      const y = conv(image, weights);
      return tf.sum(tf.mul(y, numbers(y.shape, 3)));
    };
    for (const i of [0, 1] as const) expectNative(() => tf.grads(loss)([a, w])[i]!, 1e-5);
  });

  it('fused with a bias and an activation', () => {
    expectNative(() =>
      tf.fused.depthwiseConv2d({
        x: numbers([1, 5, 5, 4]) as tf.Tensor4D,
        filter: numbers([3, 3, 4, 1], 2) as tf.Tensor4D,
        strides: 1,
        pad: 'same',
        bias: numbers([4], 3),
        activation: 'relu6',
      }),
    );
  });

  it('leaves nothing behind', async () => {
    await expectNoLeak(() => {
      tf.tidy(() => {
        const loss = (x: tf.Tensor, w: tf.Tensor) =>
          tf.sum(tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'));
        for (const g of tf.grads(loss)([numbers([1, 4, 4, 2]), numbers([3, 3, 2, 1])])) g.dataSync();
      });
    });
  });
});
