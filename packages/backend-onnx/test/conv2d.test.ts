import { compile, parameter } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { numbers, onCpu } from './on-cpu';

type Four = [number, number, number, number];
interface Case {
  name: string;
  x: Four;
  filter: Four;
  stride: number | [number, number];
  pad: 'same' | 'valid' | number;
  dilation?: number | [number, number];
}

const cases: Case[] = [
  { name: 'pointwise', x: [2, 5, 4, 3], filter: [1, 1, 3, 6], stride: 1, pad: 'valid' },
  { name: 'kernel over the whole image', x: [3, 4, 4, 5], filter: [4, 4, 5, 2], stride: 1, pad: 'valid' },
  { name: 'k3 s1 same', x: [2, 6, 5, 3], filter: [3, 3, 3, 4], stride: 1, pad: 'same' },
  { name: 'k4 s2 same, as in DCGAN', x: [2, 8, 8, 3], filter: [4, 4, 3, 5], stride: 2, pad: 'same' },
  { name: 'k4 s2 of one channel', x: [2, 8, 8, 1], filter: [4, 4, 1, 5], stride: 2, pad: 'same' },
  { name: 'k2 s2', x: [1, 7, 6, 2], filter: [2, 2, 2, 3], stride: 2, pad: 'valid' },
  { name: 'k3 s2 on odd sizes', x: [2, 7, 9, 2], filter: [3, 3, 2, 3], stride: 2, pad: 'same' },
  { name: 'k5 s3, rows left over', x: [1, 11, 10, 2], filter: [5, 5, 2, 3], stride: 3, pad: 'valid' },
  {
    name: 'k2 s3, pixels that no window reads',
    x: [1, 8, 8, 2],
    filter: [2, 2, 2, 2],
    stride: 3,
    pad: 'valid',
  },
  { name: 'explicit padding 2', x: [1, 5, 5, 2], filter: [3, 3, 2, 2], stride: 1, pad: 2 },
  { name: 'different strides', x: [1, 8, 9, 2], filter: [4, 3, 2, 2], stride: [2, 1], pad: 'same' },
  { name: 'dilation', x: [1, 9, 9, 2], filter: [3, 3, 2, 2], stride: 1, pad: 'valid', dilation: 2 },
];

describe('convolutions agree with the cpu backend', () => {
  it.each(cases)('$name: forward', ({ x, filter, stride, pad, dilation = 1 }) => {
    const run = () =>
      tf.conv2d(
        numbers(x, 1) as tf.Tensor4D,
        numbers(filter, 2) as tf.Tensor4D,
        stride,
        pad,
        'NHWC',
        dilation,
      );
    expect(run()).toBeAllClose(onCpu(run), 1e-6);
  });

  it.each(cases)('$name: forward with a frozen filter', ({ x, filter, stride, pad, dilation = 1 }) => {
    const convolution = (image: tf.Tensor, w: tf.Tensor) =>
      tf.conv2d(image as tf.Tensor4D, w as tf.Tensor4D, stride, pad, 'NHWC', dilation);
    const weight = parameter(numbers(filter, 2));
    weight.trainable = false;
    const run = compile((image: tf.Tensor) => convolution(image, weight));
    expect(run(numbers(x, 1))).toBeAllClose(
      onCpu(() => convolution(numbers(x, 1), numbers(filter, 2))),
      1e-6,
    );
    weight.dispose();
  });

  it.each(cases.filter((c) => !c.dilation))('$name: gradients', ({ x, filter, stride, pad }) => {
    const gradients = () =>
      tf.grads((a: tf.Tensor, w: tf.Tensor) => {
        const y = tf.conv2d(a as tf.Tensor4D, w as tf.Tensor4D, stride, pad);
        return tf.sum(tf.mul(y, numbers(y.shape, 3)));
      })([numbers(x, 1), numbers(filter, 2)]);
    for (const i of [0, 1])
      expect(gradients()[i]!).toBeAllClose(
        onCpu(() => gradients()[i]!),
        1e-6,
      );
  });

  it('splits large column matrices over the batch', () => {
    // 64 · 16 · 16 positions × 16 taps × 64 channels × 4 bytes: several pieces.
    const run = () =>
      tf.conv2d(
        numbers([64, 16, 16, 64]) as tf.Tensor4D,
        numbers([4, 4, 64, 4], 2) as tf.Tensor4D,
        1,
        'same',
      );
    expect(run()).toBeAllClose(onCpu(run), 1e-5);
  });

  it('depthwise', () => {
    const run = () =>
      tf.depthwiseConv2d(
        numbers([2, 7, 6, 3]) as tf.Tensor4D,
        numbers([3, 3, 3, 2], 2) as tf.Tensor4D,
        [1, 2],
        'same',
      );
    expect(run()).toBeAllClose(onCpu(run), 1e-6);
  });
});
