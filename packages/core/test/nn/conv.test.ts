import {
  checkGradients,
  expectNoLeak,
  type Fixture,
  hashed,
  hashedGradients,
  loadFixture,
  tensorOf,
} from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors';
import { Conv1d, Conv2d, ConvTranspose2d } from '../../src/nn';
import { conv1d, conv2d, convTranspose2d } from '../../src/ops';
import { randomKey } from '../../src/random';
import { hashedOnDisk } from './hashed';

const fixture = loadFixture(import.meta.url, '../../fixtures/conv.json');
const ops = { conv1d, conv2d, convTranspose2d };
const key = randomKey(1);

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

describe.each(Object.entries(ops))('%s as PyTorch', (name, op) => {
  test.each<Fixture>(fixture[name])('$name', (c) => {
    const inputs = [
      hashed(c.x, 1),
      hashed(c.weight, 2),
      ...(c.bias ? [hashed(fixtureBias(c, name), 3)] : []),
    ];
    const run = (x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor) => op(x, weight, { ...c.options, bias });
    expect(run(inputs[0]!, inputs[1]!, inputs[2])).toBeAllClose(tensorOf(c.y), 1e-5);
    const [dx, dw, db] = hashedGradients((x, w, b) => run(x!, w!, b), inputs, 4);
    expect(dx).toBeAllClose(tensorOf(c.dx), 1e-4);
    expect(dw).toBeAllClose(tensorOf(c.dw), 1e-4);
    if (c.bias) expect(db).toBeAllClose(tensorOf(c.db), 1e-4);
  });
});

function fixtureBias(c: Fixture, op: string): number[] {
  const weight: number[] = c.weight;
  const groups = c.options.groups ?? 1;
  return [op === 'convTranspose2d' ? weight[2]! * groups : weight.at(-1)!];
}

describe('gradients of gradients', () => {
  // The gradient of a squared gradient norm, as gradient penalties need it, against finite differences of the norm.
  const penalty = (f: (x: tf.Tensor, w: tf.Tensor) => tf.Tensor) => (x: tf.Tensor, w: tf.Tensor) => {
    const dx = tf.grad((input: tf.Tensor) => tf.sum(tf.square(f(input, w))))(x);
    return tf.sum(tf.square(dx));
  };

  test.each<[string, number[], number[], (x: tf.Tensor, w: tf.Tensor) => tf.Tensor]>([
    ['conv2d', [1, 5, 4, 2], [3, 3, 2, 2], (x, w) => conv2d(x, w, { stride: 2, padding: 1 })],
    ['conv2d, dilated', [1, 5, 5, 1], [2, 2, 1, 2], (x, w) => conv2d(x, w, { dilation: 2 })],
    ['conv2d, groups', [1, 4, 4, 4], [3, 3, 2, 2], (x, w) => conv2d(x, w, { groups: 2, padding: 1 })],
    ['conv2d, depthwise', [1, 4, 4, 2], [3, 3, 1, 2], (x, w) => conv2d(x, w, { groups: 2, padding: 1 })],
    ['conv1d', [1, 6, 2], [3, 2, 2], (x, w) => conv1d(x, w, { padding: 1 })],
    [
      'convTranspose2d',
      [1, 2, 3, 2],
      [4, 4, 2, 2],
      (x, w) => convTranspose2d(x, w, { stride: 2, padding: 1 }),
    ],
    [
      'convTranspose2d, output padding and dilation',
      [1, 2, 2, 2],
      [2, 2, 1, 2],
      (x, w) => convTranspose2d(x, w, { stride: 2, padding: 1, outputPadding: 1, dilation: 2 }),
    ],
  ])('%s', (_, xShape, wShape, f) => {
    checkGradients((x, w) => penalty(f)(x!, w!), [hashed(xShape, 5), hashed(wShape, 6)], { tolerance: 3e-2 });
  });
});

test('a transposed convolution is the transpose of the convolution with the same weight: ⟨conv(x), y⟩ = ⟨x, convᵀ(y)⟩', () => {
  const size = fc.integer({ min: 1, max: 7 });
  const pair = (max: number, min = 1) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
  const groups = fc.constantFrom(1, 2);
  const shapes = fc.record({
    h: size,
    w: size,
    kernel: pair(3),
    stride: pair(3),
    padding: pair(2, 0),
    dilation: pair(3),
    groups,
  });
  fc.assert(
    fc.property(shapes, ({ h, w, kernel, stride, padding, dilation, groups }) => {
      const spare = [h, w].map((n, i) => n + 2 * padding[i]! - dilation[i]! * (kernel[i]! - 1) - 1);
      fc.pre(spare.every((n) => n >= 0));
      const x = hashed([2, h, w, 2 * groups], 1);
      const weight = hashed([...kernel, 2, 3 * groups], 2);
      const options = { stride, padding, dilation, groups };
      // Group by group: the transposed one takes its input channels on the last axis, as this one its outputs.
      const y = conv2d(x, weight, options);
      const other = hashed(y.shape, 3);
      const outputPadding = spare.map((n, i) => n % stride[i]!) as [number, number];
      const back = convTranspose2d(other, weight, { ...options, outputPadding });
      const left = tf.sum(tf.mul(y, other)).dataSync()[0]!;
      const right = tf.sum(tf.mul(x, back)).dataSync()[0]!;
      expect(Math.abs(left - right)).toBeLessThan(1e-4 * (1 + Math.abs(left)));
      tf.dispose([x, weight, y, other, back]);
    }),
    { numRuns: 60, seed: 1 },
  );
});

describe('layers', () => {
  test('load PyTorch weights by its names and layouts', async () => {
    const cases = [
      { layer: new Conv1d(4, 6, { kernelSize: 3, groups: 2, key }), weight: [6, 2, 3] },
      { layer: new Conv2d(4, 6, { kernelSize: [3, 2], groups: 2, key }), weight: [6, 2, 3, 2] },
      { layer: new ConvTranspose2d(4, 6, { kernelSize: [3, 2], groups: 2, key }), weight: [4, 3, 3, 2] },
    ];
    for (const { layer, weight } of cases) {
      const state = { weight: hashedOnDisk(weight, 2), bias: hashedOnDisk([6], 3) };
      layer.loadStateDict(state);
      expect(await layer.stateDict()).toEqual(state);
      layer.dispose();
    }
  });

  test('put the disk axes where the op wants them', () => {
    const layer = new Conv2d(2, 3, { kernelSize: [4, 5], key });
    layer.loadStateDict({ weight: hashedOnDisk([3, 2, 4, 5], 2), bias: hashedOnDisk([3], 3) });
    expect(layer.weight).toBeAllClose(tf.transpose(hashed([3, 2, 4, 5], 2), [2, 3, 1, 0]), 0);
    layer.dispose();
  });

  test('give what the ops give', () => {
    const x = hashed([2, 6, 6, 4], 7);
    const conv = new Conv2d(4, 6, { kernelSize: 4, stride: 2, padding: 1, groups: 2, dilation: 1, key });
    const options = { stride: 2, padding: 1, groups: 2, bias: conv.bias };
    expect(conv.forward(x)).toBeAllClose(conv2d(x, conv.weight, options), 0);
    const up = new ConvTranspose2d(4, 2, {
      kernelSize: 3,
      stride: 2,
      padding: 1,
      outputPadding: 1,
      key,
      bias: false,
    });
    expect(up.bias).toBeNull();
    expect(up.forward(x).shape).toEqual([2, 12, 12, 2]);
    const line = new Conv1d(4, 2, { kernelSize: 3, padding: 'same', key });
    expect(line.forward(hashed([2, 9, 4], 8)).shape).toEqual([2, 9, 2]);
    for (const layer of [conv, up, line]) layer.dispose();
  });

  test('start uniform in ±1/√fanIn, counted as PyTorch does', () => {
    const bounds: [Conv1d | Conv2d | ConvTranspose2d, number][] = [
      [new Conv1d(8, 64, { kernelSize: 5, groups: 2, key }), 1 / Math.sqrt(4 * 5)],
      [new Conv2d(8, 64, { kernelSize: [3, 5], groups: 2, key }), 1 / Math.sqrt(4 * 15)],
      [new ConvTranspose2d(64, 8, { kernelSize: [3, 5], groups: 2, key }), 1 / Math.sqrt(4 * 15)],
    ];
    for (const [layer, bound] of bounds) {
      const w = layer.weight.dataSync();
      expect(Math.max(...w)).toBeLessThanOrEqual(bound);
      expect(Math.max(...w)).toBeGreaterThan(0.99 * bound);
      expect(Math.min(...w)).toBeLessThan(-0.99 * bound);
      expect(Math.max(...layer.bias!.dataSync().map(Math.abs))).toBeLessThanOrEqual(bound);
      layer.dispose();
    }
  });

  test('leave nothing behind', async () => {
    const conv = new Conv2d(4, 4, { kernelSize: 3, groups: 2, dilation: 2, stride: 2, key });
    const depthwise = new Conv2d(4, 4, { kernelSize: 3, groups: 4, key });
    const up = new ConvTranspose2d(4, 4, { kernelSize: 3, stride: 2, outputPadding: 1, key });
    const x = hashed([1, 6, 6, 4], 1);
    await expectNoLeak(() => {
      for (const layer of [conv, depthwise, up]) layer.forward(x).dispose();
    });
    await expectNoLeak(() => new Conv2d(4, 4, { kernelSize: 3, key }).dispose());
    for (const layer of [conv, depthwise, up]) layer.dispose();
  });
});

describe('wrong input', () => {
  const conv = () => new Conv2d(3, 4, { kernelSize: 3, key });
  const w = () => tf.zeros([3, 3, 3, 4]);
  const up = () => tf.zeros([3, 3, 4, 3]);

  test.each<[string, () => unknown, string]>([
    [
      'channels',
      () => conv().forward(tf.zeros([1, 8, 8, 4])),
      'Conv2d.forward(x): expected [batch, height, width, 3], got [1, 8, 8, 4]',
    ],
    ['rank', () => conv().forward(tf.zeros([8, 8, 3])), 'Conv2d.forward(x)'],
    ['too small', () => conv().forward(tf.zeros([1, 2, 8, 3])), 'conv2d(x): expected at least [3, 3] pixels'],
    ['stride 0', () => new Conv2d(3, 4, { kernelSize: 3, stride: 0, key }), 'Conv2d(options.stride)'],
    [
      'same with stride',
      () => new Conv2d(3, 4, { kernelSize: 3, stride: 2, padding: 'same', key }),
      "1 where padding is 'same'",
    ],
    [
      'padding',
      () => new Conv2d(3, 4, { kernelSize: 3, padding: 'full' as 'same', key }),
      'Conv2d(options.padding)',
    ],
    [
      'negative padding',
      () => new Conv2d(3, 4, { kernelSize: 3, padding: -1, key }),
      'Conv2d(options.padding)',
    ],
    [
      'groups',
      () => new Conv2d(3, 4, { kernelSize: 3, groups: 2, key }),
      'a divisor of 3 input and 4 output channels',
    ],
    ['channels 0', () => new Conv2d(0, 4, { kernelSize: 3, key }), 'Conv2d(inChannels)'],
    [
      'kernel triple',
      () => new Conv2d(3, 4, { kernelSize: [3, 3, 3] as unknown as number, key }),
      'Conv2d(options.kernelSize)',
    ],
    ['weight rank', () => conv2d(tf.zeros([1, 4, 4, 3]), tf.zeros([3, 3, 3])), 'conv2d(weight)'],
    [
      'bias',
      () => conv2d(tf.zeros([1, 4, 4, 3]), w(), { bias: tf.zeros([3]) }),
      'conv2d(bias): expected [4], got [3]',
    ],
    [
      'output padding',
      () => convTranspose2d(tf.zeros([1, 4, 4, 3]), up(), { stride: 2, outputPadding: 2 }),
      'less than stride 2 or dilation 1',
    ],
    [
      'nothing left',
      () => convTranspose2d(tf.zeros([1, 1, 1, 3]), up(), { padding: 2 }),
      'convTranspose2d(options.padding)',
    ],
    [
      'conv1d rank',
      () => new Conv1d(3, 4, { kernelSize: 3, key }).forward(tf.zeros([1, 4, 4, 3])),
      'Conv1d.forward(x): expected [batch, length, 3]',
    ],
  ])('%s', (_, f, message) => {
    expect(f).toThrow(message);
    expect(() => f()).toThrow(ArgumentError);
  });
});
