import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { explain } from '../../src/explain/explain';

const ones = (...shape: number[]) =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i),
    shape,
  );
const flops = async (f: () => tf.Tensor) => (await explain(f, { runs: 0 })).flops;

describe('FLOPs', () => {
  it('of products are 2·m·k·n for each matrix, transposed or not', async () => {
    const [a, b] = [ones(3, 5, 4) as tf.Tensor3D, ones(3, 4, 6) as tf.Tensor3D];
    expect((await flops(() => tf.matMul(a, b))).matmul).toBe(3 * 2 * 5 * 4 * 6);
    expect((await flops(() => tf.matMul(b, b, true))).matmul).toBe(3 * 2 * 6 * 4 * 6);
    expect((await flops(() => tf.matMul(a, a, false, true))).matmul).toBe(3 * 2 * 5 * 4 * 5);
  });

  it('of a convolution and of its gradients are the same', async () => {
    const [x, w] = [ones(2, 6, 6, 3) as tf.Tensor4D, ones(4, 4, 3, 5) as tf.Tensor4D];
    const forward = 2 * 2 * 3 * 3 * 5 * 4 * 4 * 3;
    const conv = () => tf.conv2d(x, w, 2, 1) as tf.Tensor;
    expect((await flops(conv)).convolution).toBe(forward);
    expect(
      (await flops(() => tf.grad((v) => tf.sum(tf.conv2d(v as tf.Tensor4D, w, 2, 1)))(x))).convolution,
    ).toBe(forward);
    const depthwise = ones(3, 3, 3, 2) as tf.Tensor4D;
    expect((await flops(() => tf.depthwiseConv2d(x, depthwise, 1, 'same'))).convolution).toBe(
      2 * 2 * 6 * 6 * 6 * 9,
    );
    const loss = (v: tf.Tensor) => tf.sum(tf.depthwiseConv2d(v as tf.Tensor4D, depthwise, 1, 'same'));
    expect((await flops(() => tf.grad(loss)(x))).convolution).toBe(2 * 2 * 6 * 6 * 6 * 9);
  });

  it('of everything else are one an element, and none where elements only move', async () => {
    expect(await flops(() => tf.sum(tf.exp(ones(4, 5)), 0))).toMatchObject({ elementwise: 40, total: 40 });
    expect((await flops(() => tf.transpose(tf.concat([ones(4, 5), ones(4, 5)])))).total).toBe(0);
  });
});
