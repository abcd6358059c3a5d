import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { ConvAttrs } from '../../../src/backend/complete/conv-geometry';
import { conv2dBackpropFilter } from '../../../src/backend/complete/conv2d-backprop-filter';
import { conv2dBackpropInput } from '../../../src/backend/complete/conv2d-backprop-input';
import {
  depthwiseBackpropFilter,
  depthwiseBackpropInput,
} from '../../../src/backend/complete/depthwise-backprop';
import { numbers, onBackend } from '../on-backend';

type Case = [
  name: string,
  x: [number, number, number, number],
  filter: [number, number, number, number],
  ConvAttrs,
];

const plain: Case[] = [
  ['the DCGAN layer (k4 s2 p1)', [2, 8, 8, 3], [4, 4, 3, 5], { strides: 2, pad: explicit(1) }],
  ['k4 s1 valid', [2, 4, 4, 3], [4, 4, 3, 2], { strides: 1, pad: 'valid' }],
  ['k3 s1 same', [2, 5, 7, 2], [3, 3, 2, 3], { strides: 1, pad: 'same' }],
  ['k3 s2 same, uneven padding', [2, 6, 8, 2], [3, 3, 2, 3], { strides: 2, pad: 'same' }],
  ['stride that leaves a rest', [1, 8, 9, 2], [3, 3, 2, 2], { strides: 3, pad: 'valid' }],
  ['filter smaller than the stride', [1, 9, 9, 2], [2, 2, 2, 2], { strides: 4, pad: 'valid' }],
  ['k1 s2', [2, 5, 5, 3], [1, 1, 3, 4], { strides: 2, pad: 'valid' }],
  ['different strides and filter sides', [2, 7, 6, 2], [3, 2, 2, 3], { strides: [1, 2], pad: 'valid' }],
  ['a number as padding', [1, 5, 5, 1], [3, 3, 1, 2], { strides: 1, pad: 2 }],
  [
    'uneven explicit padding',
    [1, 5, 5, 1],
    [3, 3, 1, 2],
    {
      strides: 2,
      pad: [
        [0, 0],
        [0, 2],
        [1, 0],
        [0, 0],
      ],
    },
  ],
  ['more padding than filter', [1, 4, 4, 1], [2, 2, 1, 2], { strides: 1, pad: explicit(3) }],
];

describe('convolution gradients by composition', () => {
  const forward: Case[] = [
    ...plain,
    ['dilation 2', [1, 9, 8, 2], [3, 3, 2, 3], { strides: 1, pad: 'valid', dilations: 2 }],
    ['dilation 2, same', [1, 7, 7, 2], [3, 3, 2, 3], { strides: 1, pad: 'same', dilations: 2 }],
    ['dilation 3, padding 2', [1, 7, 8, 1], [2, 3, 1, 3], { strides: 1, pad: 2, dilations: 3 }],
    ['same, filter smaller than the stride', [2, 8, 9, 2], [1, 2, 2, 3], { strides: 3, pad: 'same' }],
    ['different dilations', [1, 9, 8, 2], [3, 2, 2, 1], { strides: 1, pad: explicit(2), dilations: [1, 3] }],
  ];
  it.each(forward)('conv2d itself, %s', async (_, xShape, filterShape, { strides, pad, dilations = 1 }) => {
    const inputs = [numbers(xShape), numbers(filterShape, 2)] as const;
    const run = (x: tf.Tensor, w: tf.Tensor) =>
      tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad, 'NHWC', dilations);
    const [expected] = await onBackend('cpu', () => [run(...inputs)]);
    same(run(...inputs), expected!);
    tf.dispose([...inputs]);
  });

  it('takes a number as padding with filters and strides that are not square', () => {
    const [x, filter] = [numbers([1, 8, 9, 2]) as tf.Tensor4D, numbers([2, 3, 2, 3], 2) as tf.Tensor4D];
    for (const strides of [1, [2, 1], [1, 2]] as (number | [number, number])[]) {
      const y = tf.conv2d(x, filter, strides, 1, 'NHWC', 1, 'floor');
      const [sh, sw] = [strides, strides].flat() as [number, number];
      expect(y.shape).toEqual([1, Math.floor(8 / sh) + 1, Math.floor(8 / sw) + 1, 3]);
      expect(y).toBeAllClose(tf.conv2d(x, filter, strides, explicit(1)), 1e-6);
      const pool = tf.maxPool(x, [2, 3], strides, 1, 'floor');
      expect(pool.shape).toEqual([...y.shape.slice(0, 3), 2]);
      const grads = tf.grads((a, b) =>
        tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, strides, 1, 'NHWC', 1, 'floor'),
      );
      expect(grads([x, filter]).map((g) => g.shape)).toEqual([x.shape, filter.shape]);
    }
  });

  it('gives an empty result where the filter is larger than the image', () => {
    const y = tf.conv2d(
      numbers([1, 8, 9, 2]) as tf.Tensor4D,
      numbers([5, 3, 2, 3]) as tf.Tensor4D,
      1,
      'valid',
      'NHWC',
      2,
    );
    expect(y.shape).toEqual([1, 0, 5, 3]);
    expect(y.dataSync()).toHaveLength(0);
  });

  it.each(plain)('conv2d, %s', async (_, xShape, filterShape, attrs) => {
    const [x, filter] = [numbers(xShape), numbers(filterShape, 2)] as [tf.Tensor4D, tf.Tensor4D];
    const dy = numbers(
      tf.tidy(() => tf.conv2d(x, filter, attrs.strides, attrs.pad).shape),
      3,
    );
    const [dx, dw] = (await onBackend('cpu', () => [
      run(tf.Conv2DBackpropInput, { dy, filter }, { ...attrs, dataFormat: 'NHWC', inputShape: xShape }),
      run(tf.Conv2DBackpropFilter, { x, dy }, { ...attrs, dataFormat: 'NHWC', filterShape }),
    ])) as [Values, Values];
    const ourDx = tf.tidy(() => conv2dBackpropInput.run({ dy, filter }, { ...attrs, inputShape: xShape }));
    const ourDw = tf.tidy(() => conv2dBackpropFilter.run({ x, dy }, { ...attrs, filterShape }));
    same(ourDx, dx);
    same(ourDw, dw);
    // What the backend itself has now, its own or completed.
    same(
      run(tf.Conv2DBackpropInput, { dy, filter }, { ...attrs, dataFormat: 'NHWC', inputShape: xShape }),
      dx,
    );
    same(run(tf.Conv2DBackpropFilter, { x, dy }, { ...attrs, dataFormat: 'NHWC', filterShape }), dw);
    tf.dispose([x, filter, dy]);
  });

  const depthwise: Case[] = [
    ...plain.map(([n, x, [kh, kw, c], a]): Case => [n, x, [kh, kw, c, 1], a]),
    ['two outputs per channel', [2, 5, 6, 3], [3, 3, 3, 2], { strides: 1, pad: 'same' }],
    ['two outputs per channel, stride 2', [2, 6, 6, 3], [3, 3, 3, 2], { strides: 2, pad: 'same' }],
  ];
  it.each(depthwise)('depthwise, %s', async (_, xShape, filterShape, attrs) => {
    const [x, filter] = [numbers(xShape), numbers(filterShape, 2)] as [tf.Tensor4D, tf.Tensor4D];
    const full = { dilations: [1, 1], ...attrs };
    const dy = numbers(
      tf.tidy(() => tf.depthwiseConv2d(x, filter, attrs.strides, attrs.pad, 'NHWC', attrs.dilations).shape),
      3,
    );
    const [dx, dw] = (await onBackend('cpu', () => [
      run(tf.DepthwiseConv2dNativeBackpropInput, { dy, filter }, { ...full, inputShape: xShape }),
      run(tf.DepthwiseConv2dNativeBackpropFilter, { x, dy }, { ...full, filterShape }),
    ])) as [Values, Values];
    same(
      tf.tidy(() => depthwiseBackpropInput.run({ dy, filter }, { ...full, inputShape: xShape })),
      dx,
    );
    same(
      tf.tidy(() => depthwiseBackpropFilter.run({ x, dy }, { ...full, filterShape })),
      dw,
    );
    tf.dispose([x, filter, dy]);
  });

  it('leaves no tensors behind', async () => {
    const [x, filter] = [numbers([2, 8, 8, 3]), numbers([4, 4, 3, 5])] as [tf.Tensor4D, tf.Tensor4D];
    const f = (a: tf.Tensor, b: tf.Tensor) =>
      tf.sum(tf.square(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 2, explicit(1))));
    await expectNoLeak(() => tf.dispose(tf.grads(f)([x, filter])));
    tf.dispose([x, filter]);
  });
});

interface Values {
  shape: number[];
  values: Float32Array;
}

function same(actual: tf.Tensor | tf.Tensor[], { shape, values }: Values): void {
  const tensor = actual as tf.Tensor;
  expect(tensor.shape).toEqual(shape);
  expect(tensor).toBeAllClose(values, 1e-5);
  tensor.dispose();
}

function run(kernel: string, inputs: tf.NamedTensorMap, attrs: object): tf.Tensor {
  return tf.engine().runKernel(kernel, inputs, attrs as tf.NamedAttrMap) as tf.Tensor;
}

function explicit(p: number): tf.backend_util.ExplicitPadding {
  return [
    [0, 0],
    [p, p],
    [p, p],
    [0, 0],
  ];
}
