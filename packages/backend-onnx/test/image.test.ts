import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { expectNative } from './agree';
import { numbers } from './on-cpu';

describe('crops by boxes', () => {
  it.each([
    [[3, 4], 0],
    [[1, 1], 0],
    [[6, 5], -2],
  ] as [[number, number], number][])('to %j, %d outside', (size, fill) => {
    const image = numbers([2, 5, 6, 3]) as tf.Tensor4D;
    const boxes = tf.tensor2d([0, 0, 1, 1, 0.2, 0.1, 0.7, 0.9, -0.3, 0.5, 1.2, 0.75], [3, 4]);
    const owners = tf.tensor1d([0, 1, 1], 'int32');
    expectNative(() => tf.image.cropAndResize(image, boxes, owners, size, 'bilinear', fill), 1e-5);
  });
});

it.each([
  [0.3, 0, 0.5],
  [1.2, [7, 8, 9], [0.25, 0.75]],
] as [number, number | [number, number, number], number | [number, number]][])(
  'turned by %d',
  (radians, fill, center) => {
    const image = numbers([2, 5, 6, 3]) as tf.Tensor4D;
    expectNative(() => tf.image.rotateWithOffset(image, radians, fill, center));
  },
);

describe('dilation', () => {
  it.each([
    ['same', [1, 1], [1, 1]],
    ['valid', [2, 1], [1, 1]],
    ['same', [1, 1], [2, 2]],
  ] as ['same' | 'valid', [number, number], [number, number]][])(
    '%s, strides %j, dilations %j',
    (pad, strides, dilations) => {
      // No ties: they go to either of the equals.
      const distinct = (shape: number[], seed: number) =>
        tf.add(
          numbers(shape, seed),
          tf.mul(tf.reshape(tf.range(0, tf.util.sizeFromShape(shape), 1), shape), 1e-3 * seed),
        );
      const [x, filter] = [distinct([2, 6, 5, 3], 1), distinct([2, 3, 3], 2)];
      const run = (a: tf.Tensor, w: tf.Tensor) =>
        tf.dilation2d(a as tf.Tensor4D, w as tf.Tensor3D, strides, pad, dilations);
      expectNative(() => run(x, filter), 1e-5);
      const loss = (a: tf.Tensor, w: tf.Tensor) => {
        const y = run(a, w);
        return tf.sum(tf.mul(y, numbers(y.shape, 3)));
      };
      for (const i of [0, 1] as const) expectNative(() => tf.grads(loss)([x, filter])[i]!, 1e-5);
    },
  );
});

describe('gathering within batches', () => {
  it.each([
    [[2, 4, 3], [2, 5], 1, 1],
    [[2, 3, 4, 2], [2, 2], 2, 1],
    [[2, 3, 4], [2, 3, 2], 2, 2],
  ] as [number[], number[], number, number][])(
    '%j by %j along axis %i, %i batch axes',
    (shape, indexShape, axis, batch) => {
      const index = tf.cast(
        tf.mod(tf.reshape(tf.range(0, tf.util.sizeFromShape(indexShape)), indexShape), shape[axis]!),
        'int32',
      );
      const x = numbers(shape);
      expectNative(() => tf.gather(x, index, axis, batch));
      const loss = (a: tf.Tensor) => {
        const y = tf.gather(a, index, axis, batch);
        return tf.sum(tf.mul(y, numbers(y.shape, 2)));
      };
      expectNative(() => tf.grad(loss)(x));
    },
  );
});
