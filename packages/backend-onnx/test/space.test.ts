import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectNative } from './agree';
import { numbers } from './on-cpu';

describe('pixels and batches', () => {
  it.each([
    [
      [1, 4, 6, 2],
      [2, 3],
      [
        [0, 0],
        [0, 0],
      ],
    ],
    [
      [2, 3, 5, 1],
      [2, 2],
      [
        [0, 1],
        [1, 2],
      ],
    ],
    [[2, 5, 3], [2], [[1, 0]]],
  ] as [number[], number[], number[][]][])('%j in blocks of %j, padded by %j', (shape, block, paddings) => {
    const x = numbers(shape);
    expectNative(() => tf.spaceToBatchND(x, block, paddings));
    const moved = tf.spaceToBatchND(x, block, paddings);
    expectNative(() => tf.batchToSpaceND(moved, block, paddings));
    const loss = (a: tf.Tensor) => {
      const y = tf.spaceToBatchND(a, block, paddings);
      return tf.sum(tf.mul(y, numbers(y.shape, 2)));
    };
    expectNative(() => tf.grad(loss)(x));
  });

  it('depth to space', () => {
    const x = numbers([2, 3, 2, 8]) as tf.Tensor4D;
    expectNative(() => tf.depthToSpace(x, 2));
    // tfjs cpu knows images with the channels last only.
    const first = tf.depthToSpace(tf.transpose(x, [0, 3, 1, 2]), 2, 'NCHW');
    expect(tf.transpose(first, [0, 2, 3, 1])).toBeAllClose(tf.depthToSpace(x, 2), 0);
  });
});

describe.each(['reflect', 'symmetric'] as const)('mirrored borders, %s', (mode) => {
  it.each(['float32', 'int32', 'bool'] as const)('%s', (dtype) => {
    const x = tf.cast(tf.mul(numbers([3, 4]), 8), dtype);
    expectNative(() =>
      tf.mirrorPad(
        x,
        [
          [1, 2],
          [2, 0],
        ],
        mode,
      ),
    );
  });
});

it('images flipped', () => {
  expectNative(() => tf.image.flipLeftRight(numbers([2, 3, 4, 2]) as tf.Tensor4D));
});
