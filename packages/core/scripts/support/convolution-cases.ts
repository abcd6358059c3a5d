import * as tf from '@tensorflow/tfjs-core';
import type { KernelCase } from './cases';

type Pads = [[number, number], [number, number], [number, number], [number, number]];
const pads = (n: number): Pads => [
  [0, 0],
  [n, n],
  [n, n],
  [0, 0],
];
const run = (kernel: string, inputs: Record<string, tf.Tensor | undefined>, attrs: object) =>
  tf.engine().runKernel(kernel, inputs as tf.NamedTensorMap, attrs as tf.NamedAttrMap) as tf.Tensor;
const base = { strides: 2, pad: pads(1), dataFormat: 'NHWC', dilations: 1 };
const [x4, x5] = [{ shape: [2, 4, 4, 2] }, { shape: [1, 3, 3, 3, 1] }];

export const convolutionCases: KernelCase[] = [
  {
    kernel: tf.BatchMatMul,
    inputs: [{ shape: [3, 4] }, { shape: [4, 2] }],
    run: (a, b) => tf.matMul(a!, b!),
  },
  {
    kernel: tf.BatchMatMul,
    name: 'transposed',
    inputs: [{ shape: [4, 3] }, { shape: [2, 4] }],
    run: (a, b) => tf.matMul(a!, b!, true, true),
  },
  {
    kernel: tf.BatchMatMul,
    name: 'batched',
    inputs: [{ shape: [2, 3, 4] }, { shape: [2, 5, 4] }],
    run: (a, b) => tf.matMul(a!, b!, false, true),
  },
  {
    kernel: tf.BatchMatMul,
    name: 'one matrix for a batch',
    inputs: [{ shape: [2, 3, 4] }, { shape: [1, 4, 5] }],
    run: (a, b) => tf.matMul(a!, b!),
  },
  {
    kernel: tf._FusedMatMul,
    inputs: [{ shape: [3, 4] }, { shape: [4, 2] }, { shape: [2] }],
    run: (a, b, bias) => tf.fused.matMul({ a: a!, b: b!, bias: bias!, activation: 'relu' }),
  },
  {
    kernel: tf.Einsum,
    inputs: [{ shape: [2, 3, 4] }, { shape: [2, 5, 4] }],
    run: (a, b) => tf.einsum('bij,bkj->bik', a!, b!),
  },
  {
    kernel: tf.Einsum,
    name: 'a label summed out of one operand',
    inputs: [{ shape: [2, 3] }, { shape: [3, 4] }],
    run: (a, b) => tf.einsum('ij,jk->i', a!, b!),
  },
  {
    kernel: tf.Einsum,
    name: 'transposed result',
    inputs: [{ shape: [2, 3] }, { shape: [3, 4] }],
    run: (a, b) => tf.einsum('ij,jk->ki', a!, b!),
  },
  ...(
    [
      ['stride 2, padding 1', 2, pads(1), 1],
      ['same', 1, 'same', 1],
      ['dilation 2', 1, pads(2), 2],
      ['valid', 1, 'valid', 1],
    ] as const
  ).map(
    ([name, strides, pad, dilation]): KernelCase => ({
      kernel: tf.Conv2D,
      name,
      inputs: [x4, { shape: [3, 3, 2, 2] }],
      run: (x, w) =>
        tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad as Pads, 'NHWC', [dilation, dilation]),
    }),
  ),
  {
    kernel: tf.FusedConv2D,
    inputs: [x4, { shape: [3, 3, 2, 2] }, { shape: [2] }],
    run: (x, w, bias) =>
      tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter: w as tf.Tensor4D,
        bias: bias!,
        strides: 1,
        pad: 'same',
        activation: 'relu',
      }),
  },
  {
    kernel: tf.Conv2DBackpropInput,
    inputs: [{ shape: [2, 2, 2, 3] }, { shape: [4, 4, 2, 3] }],
    run: (dy, filter) => run(tf.Conv2DBackpropInput, { dy, filter }, { ...base, inputShape: [2, 4, 4, 2] }),
  },
  {
    kernel: tf.Conv2DBackpropFilter,
    inputs: [x4, { shape: [2, 2, 2, 3] }],
    run: (x, dy) => run(tf.Conv2DBackpropFilter, { x, dy }, { ...base, filterShape: [4, 4, 2, 3] }),
  },
  ...(
    [
      ['stride 2, same', 2, 'same', 1],
      ['dilation 2', 1, 'same', 2],
    ] as const
  ).map(
    ([name, strides, pad, dilation]): KernelCase => ({
      kernel: tf.DepthwiseConv2dNative,
      name,
      inputs: [x4, { shape: [3, 3, 2, 2] }],
      run: (x, w) =>
        tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad, 'NHWC', [dilation, dilation]),
    }),
  ),
  {
    kernel: tf.FusedDepthwiseConv2D,
    inputs: [x4, { shape: [3, 3, 2, 1] }, { shape: [2] }],
    run: (x, w, bias) =>
      tf.fused.depthwiseConv2d({
        x: x as tf.Tensor4D,
        filter: w as tf.Tensor4D,
        bias: bias!,
        strides: 1,
        pad: 'same',
        activation: 'relu',
      }),
  },
  {
    kernel: tf.DepthwiseConv2dNativeBackpropInput,
    inputs: [{ shape: [2, 2, 2, 4] }, { shape: [4, 4, 2, 2] }],
    run: (dy, filter) =>
      run(tf.DepthwiseConv2dNativeBackpropInput, { dy, filter }, { ...base, inputShape: [2, 4, 4, 2] }),
  },
  {
    kernel: tf.DepthwiseConv2dNativeBackpropFilter,
    inputs: [x4, { shape: [2, 2, 2, 4] }],
    run: (x, dy) =>
      run(tf.DepthwiseConv2dNativeBackpropFilter, { x, dy }, { ...base, filterShape: [4, 4, 2, 2] }),
  },
  {
    kernel: tf.Conv3D,
    inputs: [x5, { shape: [2, 2, 2, 1, 2] }],
    run: (x, w) => tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, 1, 'valid'),
  },
  {
    kernel: tf.Conv3DBackpropInputV2,
    inputs: [{ shape: [1, 2, 2, 2, 2] }, { shape: [2, 2, 2, 1, 2] }],
    run: (dy, filter) =>
      run(
        tf.Conv3DBackpropInputV2,
        { dy, filter },
        { strides: 1, pad: 'valid', inputShape: [1, 3, 3, 3, 1] },
      ),
  },
  {
    kernel: tf.Conv3DBackpropFilterV2,
    inputs: [x5, { shape: [1, 2, 2, 2, 2] }],
    run: (x, dy) =>
      run(tf.Conv3DBackpropFilterV2, { x, dy }, { strides: 1, pad: 'valid', filterShape: [2, 2, 2, 1, 2] }),
  },
  {
    kernel: tf.Dilation2D,
    inputs: [x4, { shape: [2, 2, 2] }],
    run: (x, w) => tf.dilation2d(x as tf.Tensor4D, w as tf.Tensor3D, 1, 'valid', 1),
  },
  {
    kernel: tf.Dilation2DBackpropInput,
    differentiable: false,
    inputs: [x4, { shape: [2, 2, 2] }, { shape: [2, 3, 3, 2] }],
    run: (x, filter, dy) =>
      run(tf.Dilation2DBackpropInput, { x, filter, dy }, { strides: 1, pad: 'valid', dilations: 1 }),
  },
  {
    kernel: tf.Dilation2DBackpropFilter,
    differentiable: false,
    inputs: [x4, { shape: [2, 2, 2] }, { shape: [2, 3, 3, 2] }],
    run: (x, filter, dy) =>
      run(tf.Dilation2DBackpropFilter, { x, filter, dy }, { strides: 1, pad: 'valid', dilations: 1 }),
  },
];
