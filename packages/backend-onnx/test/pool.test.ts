import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { OnnxBackend } from '../src/backend';
import { numbers, onCpu } from './on-cpu';

type Pad = 'same' | 'valid' | tf.backend_util.ExplicitPadding;
interface Case {
  name: string;
  x: number[];
  window: [number, number];
  stride: [number, number];
  pad: Pad;
}

const cases: Case[] = [
  { name: 'tiles', x: [2, 6, 8, 3], window: [2, 2], stride: [2, 2], pad: 'valid' },
  { name: 'tiles with a rest', x: [2, 7, 9, 3], window: [2, 3], stride: [2, 3], pad: 'valid' },
  { name: 'tiles of one channel', x: [3, 4, 4, 1], window: [2, 2], stride: [2, 2], pad: 'valid' },
  { name: 'the whole image', x: [2, 5, 4, 3], window: [5, 4], stride: [1, 1], pad: 'valid' },
  { name: 'overlapping windows', x: [2, 7, 8, 3], window: [3, 3], stride: [2, 2], pad: 'same' },
  { name: 'overlapping, stride 1', x: [1, 5, 6, 2], window: [3, 2], stride: [1, 1], pad: 'same' },
  {
    name: 'padding by sides',
    x: [2, 5, 6, 2],
    window: [3, 3],
    stride: [2, 1],
    pad: [
      [0, 0],
      [1, 1],
      [2, 0],
      [0, 0],
    ],
  },
  { name: 'pixels between windows', x: [1, 8, 7, 2], window: [2, 1], stride: [3, 2], pad: 'valid' },
  { name: 'single pixels', x: [1, 3, 3, 2], window: [1, 1], stride: [1, 1], pad: 'valid' },
];

function fallbacks(body: () => void): number {
  const count = () => [...(tf.backend() as OnnxBackend).fallbacks.values()].reduce((a, b) => a + b, 0);
  const before = count();
  body();
  return count() - before;
}

/** Both results, and their gradients for a dy that tells positions apart. */
const poolings = {
  max:
    ({ window, stride, pad }: Case) =>
    (a: tf.Tensor) =>
      tf.maxPool(a as tf.Tensor4D, window, stride, pad),
  average:
    ({ window, stride, pad }: Case) =>
    (a: tf.Tensor) =>
      tf.avgPool(a as tf.Tensor4D, window, stride, pad),
};

describe.each(['max', 'average'] as const)('%s pooling agrees with the cpu backend', (kind) => {
  it.each(cases)('$name', (one) => {
    const pool = poolings[kind](one);
    const x = numbers(one.x);
    const gradient = () => tf.grad((a) => tf.sum(tf.mul(pool(a), numbers(pool(a).shape, 3))))(x);
    const forward = () => pool(x);
    expect(fallbacks(() => expect(forward()).toBeAllClose(onCpu(forward), 1e-6))).toBe(0);
    expect(fallbacks(() => expect(gradient()).toBeAllClose(onCpu(gradient), 1e-6))).toBe(0);
  });
});

describe('maximum pooling', () => {
  it('gives the gradient to the first of equal maxima', () => {
    const x = tf.tensor4d([1, 1, 1, 1, 0, 2, 2, 0, 2, 2, 0, 0], [1, 3, 4, 1]);
    for (const stride of [1, 2]) {
      const gradient = () => tf.grad((a) => tf.sum(tf.maxPool(a as tf.Tensor4D, [3, 2], stride, 'same')))(x);
      expect([...gradient().dataSync()]).toEqual([...onCpu(gradient)]);
    }
  });

  it.each([true, false])('finds where the maxima are (batch in the index: %s)', (batch) => {
    const x = numbers([2, 6, 7, 3], 5) as tf.Tensor4D;
    for (const i of ['result', 'indexes'] as const) {
      const run = () => tf.maxPoolWithArgmax(x, [3, 2], 2, 'same', batch)[i]!;
      expect(fallbacks(() => expect([...run().dataSync()]).toEqual([...onCpu(run)]))).toBe(0);
    }
  });

  it('keeps integers', () => {
    const run = () => tf.maxPool(tf.cast(numbers([1, 4, 4, 2]), 'int32') as tf.Tensor4D, 2, 2, 'valid');
    expect(run().dtype).toBe('int32');
    expect([...run().dataSync()]).toEqual([...onCpu(run)]);
  });
});

describe('volumes', () => {
  it.each([
    ['max', 'valid', 2, 2],
    ['max', 'same', 3, 2],
    ['average', 'valid', 2, 2],
    ['average', 'same', [1, 2, 3], [1, 2, 1]],
  ] as const)('%s, %s padding, window %s, stride %s', (kind, pad, window, stride) => {
    const x = numbers([2, 4, 5, 6, 2]);
    // No ties: tfjs gives them to the last maximum of a volume.
    const distinct = tf.add(x, tf.reshape(tf.range(0, 5 * x.size, 5), x.shape)) as tf.Tensor;
    const pool = (a: tf.Tensor) =>
      kind === 'max'
        ? tf.maxPool3d(a as tf.Tensor5D, window as number, stride as number, pad)
        : tf.avgPool3d(a as tf.Tensor5D, window as never, stride as never, pad);
    const gradient = () => tf.grad((a) => tf.sum(tf.mul(pool(a), numbers(pool(a).shape, 3))))(distinct);
    const forward = () => pool(distinct);
    expect(fallbacks(() => expect(forward()).toBeAllClose(onCpu(forward), 1e-6))).toBe(0);
    expect(fallbacks(() => expect(gradient()).toBeAllClose(onCpu(gradient), 1e-6))).toBe(0);
  });
});

it('pooling leaves nothing behind', async () => {
  await expectNoLeak(() => {
    tf.tidy(() =>
      tf
        .grad((a) => tf.sum(tf.maxPool(a as tf.Tensor4D, 3, 2, 'same')))(numbers([1, 5, 5, 2]))
        .dataSync(),
    );
  });
});
