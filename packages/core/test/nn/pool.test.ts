import { checkGradients, expectNoLeak, hashed, hashedValues, loadFixture, tensorOf } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors';
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  GlobalAvgPool2d,
  MaxPool2d,
  PixelShuffle,
  Upsample,
} from '../../src/nn';
import {
  adaptiveAvgPool2d,
  avgPool2d,
  globalAvgPool2d,
  maxPool2d,
  pixelShuffle,
  upsample,
} from '../../src/ops';

const fixture = loadFixture(import.meta.url, '../../fixtures/pool.json');

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

/** Fixture entries: `args` and `options` as the ops take them. */
interface Case {
  x: number[];
  ties: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: options of several ops
  args: any[];
  // biome-ignore lint/suspicious/noExplicitAny: options of several ops
  options: any;
  y: { shape: number[]; data: number[] };
  dx: { shape: number[]; data: number[] };
}

const ops: Record<string, (x: tf.Tensor, c: Case) => tf.Tensor> = {
  maxPool2d: (x, c) => maxPool2d(x, c.args[0], c.options),
  avgPool2d: (x, c) => avgPool2d(x, c.args[0], c.options),
  adaptiveAvgPool2d: (x, c) => adaptiveAvgPool2d(x, c.args[0]),
  upsample: (x, c) => upsample(x, c.options),
  pixelShuffle: (x, c) => pixelShuffle(x, c.args[0]),
};

describe.each(Object.entries(ops))('%s as PyTorch', (name, op) => {
  test.each<Case>(fixture[name])('$x $args $options', (c) => {
    const values = hashedValues(c.x, 1);
    const x = tf.tensor(c.ties ? values.map(roundHalfToEven) : values, c.x);
    expect(op(x, c)).toBeAllClose(tensorOf(c.y), 1e-5);
    // With a gradient recorded, other code computes the same.
    const { value, grad } = tf.valueAndGrad((input: tf.Tensor) => op(input, c))(x, hashed(c.y.shape, 4));
    expect(value).toBeAllClose(tensorOf(c.y), 1e-5);
    expect(grad).toBeAllClose(tensorOf(c.dx), 1e-4);
  });
});

/** Twice the value, rounded as torch.round does. */
function roundHalfToEven(value: number): number {
  const doubled = value * 2;
  const rounded = Math.round(doubled);
  return Math.abs(doubled % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

describe('pooling', () => {
  test('of negative images gives gradients to the maximum alone', () => {
    const x = tf.tensor4d([-4, -1, -3, -2], [1, 2, 2, 1]);
    const dx = tf.grad((input: tf.Tensor) => tf.sum(maxPool2d(input, 2)))(x);
    expect([...dx.dataSync()]).toEqual([0, 1, 0, 0]);
  });

  test('over everything is a mean', () => {
    const x = hashed([2, 3, 4, 2], 1);
    expect(globalAvgPool2d(x)).toBeAllClose(tf.mean(x, [1, 2]), 0);
    expect(new GlobalAvgPool2d().forward(x).shape).toEqual([2, 2]);
  });

  test('is differentiable twice', () => {
    const penalty = (f: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) =>
      tf.sum(tf.square(tf.grad((input: tf.Tensor) => tf.sum(tf.square(f(input))))(x)));
    const x = hashed([1, 4, 4, 1], 1);
    for (const f of [
      (y: tf.Tensor) => maxPool2d(y, 2),
      (y: tf.Tensor) => avgPool2d(y, 3, { stride: 1, padding: 1 }),
      (y: tf.Tensor) => adaptiveAvgPool2d(y, 3),
      (y: tf.Tensor) => upsample(y, { scaleFactor: 2 }),
      (y: tf.Tensor) => upsample(y, { scaleFactor: 2, mode: 'bilinear' }),
      (y: tf.Tensor) => pixelShuffle(tf.reshape(y, [1, 2, 2, 4]), 2),
    ]) {
      checkGradients((y) => penalty(f)(y!), [x], { tolerance: 3e-2 });
    }
  });

  test('layers do what the ops do', () => {
    const x = hashed([1, 6, 6, 4], 1);
    expect(new MaxPool2d(3, { stride: 2 }).forward(x)).toBeAllClose(maxPool2d(x, 3, { stride: 2 }), 0);
    expect(new AvgPool2d(2, { padding: 1 }).forward(x)).toBeAllClose(avgPool2d(x, 2, { padding: 1 }), 0);
    expect(new AdaptiveAvgPool2d([2, 3]).forward(x)).toBeAllClose(adaptiveAvgPool2d(x, [2, 3]), 0);
    expect(new Upsample({ size: 5 }).forward(x)).toBeAllClose(upsample(x, { size: 5 }), 0);
    expect(new PixelShuffle(2).forward(x)).toBeAllClose(pixelShuffle(x, 2), 0);
  });

  test('leaves nothing behind', async () => {
    const x = hashed([1, 6, 6, 4], 1);
    await expectNoLeak(() => {
      tf.dispose([
        maxPool2d(x, 3, { padding: 1 }),
        avgPool2d(x, 3, { padding: 1 }),
        avgPool2d(x, 2, { divisorOverride: 3 }),
        adaptiveAvgPool2d(x, 4),
        adaptiveAvgPool2d(x, 1),
        globalAvgPool2d(x),
        upsample(x, { scaleFactor: 2 }),
        upsample(x, { size: 5, mode: 'bilinear' }),
        pixelShuffle(x, 2),
      ]);
    });
  });

  const x = () => tf.zeros([1, 4, 4, 3]);
  test.each<[string, () => unknown, string]>([
    [
      'rank',
      () => maxPool2d(tf.zeros([4, 4, 3]), 2),
      'maxPool2d(x): expected [batch, height, width, channels], got [4, 4, 3]',
    ],
    ['kernel', () => maxPool2d(x(), 0), 'maxPool2d(kernelSize)'],
    ['too much padding', () => avgPool2d(x(), 3, { padding: 2 }), 'at most half the kernel 3, got 2'],
    ['kernel above the image', () => avgPool2d(x(), 5), 'avgPool2d(x): expected at least [5, 5] pixels'],
    ['divisor', () => avgPool2d(x(), 2, { divisorOverride: 0 }), 'avgPool2d(options.divisorOverride)'],
    ['output size', () => adaptiveAvgPool2d(x(), 0), 'adaptiveAvgPool2d(outputSize)'],
    [
      'size and scale',
      () => upsample(x(), { size: 2, scaleFactor: 2 }),
      'upsample(options): expected size or scaleFactor',
    ],
    ['neither', () => upsample(x(), {}), 'upsample(options)'],
    ['scale', () => upsample(x(), { scaleFactor: -1 }), 'upsample(options.scaleFactor)'],
    ['scale to nothing', () => upsample(x(), { scaleFactor: 0.1 }), 'upsample(options.scaleFactor)'],
    ['mode', () => upsample(x(), { size: 2, mode: 'bicubic' as 'nearest' }), 'upsample(options.mode)'],
    ['corners', () => upsample(x(), { size: 2, alignCorners: true }), 'upsample(options.alignCorners)'],
    [
      'shuffle',
      () => pixelShuffle(x(), 2),
      'pixelShuffle(x): expected [batch, height, width, a multiple of 4]',
    ],
  ])('refuses wrong input: %s', (_, f, message) => {
    expect(f).toThrow(message);
    expect(f).toThrow(ArgumentError);
  });
});
