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
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors';
import { normalInit } from '../../src/init';
import { Flatten, Linear, Sequential, Unflatten } from '../../src/nn';
import { flatten, linear, unflatten } from '../../src/ops';
import { randomKey } from '../../src/random';
import { hashedOnDisk } from './hashed';

const fixture = loadFixture(import.meta.url, '../../fixtures/linear.json');
const key = randomKey(2);

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

describe('linear', () => {
  test.each<Fixture>(fixture.linear)('on $x is PyTorch’s', (c) => {
    const inputs = [hashed(c.x, 1), hashed(c.weight, 2)];
    if (c.db) inputs.push(hashed([c.weight[0]], 3));
    expect(linear(inputs[0]!, inputs[1]!, inputs[2])).toBeAllClose(tensorOf(c.y), 1e-5);
    const [dx, dw, db] = hashedGradients((x, w, b) => linear(x!, w!, b), inputs, 4);
    expect(dx).toBeAllClose(tensorOf(c.dx), 1e-4);
    expect(dw).toBeAllClose(tensorOf(c.dw), 1e-4);
    if (c.db) expect(db).toBeAllClose(tensorOf(c.db), 1e-4);
  });

  test('takes the same numbers as weights of different shapes', () => {
    // On wasm, XNNPACK's packed weights once went by the data alone.
    const w = hashed([24], 2);
    for (const [inputs, outputs] of [
      [4, 6],
      [6, 4],
      [2, 12],
      [24, 1],
      [1, 24],
    ] as const) {
      const x = hashed([3, inputs], 1);
      const right = tf.reshape(w, [inputs, outputs]) as tf.Tensor2D;
      const expected = tf.sum(tf.mul(tf.expandDims(x, 2), right), 1);
      expect(tf.matMul(x as tf.Tensor2D, right)).toBeAllClose(expected, 1e-5);
      const twice = tf.matMul(tf.stack([x, x]) as tf.Tensor3D, right);
      expect(twice).toBeAllClose(tf.stack([expected, expected]), 1e-5);
      expect(linear(x, tf.transpose(right))).toBeAllClose(expected, 1e-5);
    }
  });

  test('is differentiable twice', () => {
    const penalty = (x: tf.Tensor, w: tf.Tensor) =>
      tf.sum(tf.square(tf.grad((input: tf.Tensor) => tf.sum(tf.square(linear(input, w))))(x)));
    checkGradients((x, w) => penalty(x!, w!), [hashed([2, 3], 1), hashed([2, 3], 2)], { tolerance: 3e-2 });
  });
});

describe('Linear', () => {
  test('loads PyTorch weights as they are', async () => {
    const layer = new Linear(4, 2, { key });
    const state = { weight: hashedOnDisk([2, 4], 2), bias: hashedOnDisk([2], 3) };
    layer.loadStateDict(state);
    expect(layer.weight).toBeAllClose(hashed([2, 4], 2), 0);
    expect(layer.forward(hashed([3, 4], 1))).toBeAllClose(tensorOf(fixture.linear[0].y), 1e-5);
    expect(await layer.stateDict()).toEqual(state);
    layer.dispose();
  });

  test('starts uniform in ±1/√in, and by the same numbers for the same key', () => {
    const layer = new Linear(100, 300, { key });
    const w = layer.weight.dataSync();
    expect(Math.max(...w)).toBeLessThanOrEqual(0.1);
    expect(Math.min(...w)).toBeLessThan(-0.099);
    expect(Math.hypot(...w) / Math.sqrt(w.length)).toBeCloseTo(0.1 / Math.sqrt(3), 3);
    expect(Math.max(...layer.bias!.dataSync())).toBeGreaterThan(0.09);
    const again = new Linear(100, 300, { key });
    expect(again.weight).toBeAllClose(layer.weight, 0);
    layer.dispose();
    again.dispose();
  });

  test('takes another distribution for its weight', () => {
    const layer = new Linear(50, 60, { key, bias: false, init: normalInit({ std: 0.02 }) });
    expect(layer.bias).toBeNull();
    const w = layer.weight.dataSync();
    expect(Math.hypot(...w) / Math.sqrt(w.length)).toBeCloseTo(0.02, 3);
    layer.dispose();
  });

  test('refuses wrong input', () => {
    const layer = new Linear(64, 2, { key });
    expect(() => layer.forward(tf.zeros([2, 32]))).toThrow(
      'Linear.forward(x): expected [..., 64], got [2, 32]',
    );
    expect(() => layer.forward(tf.zeros([2, 32]))).toThrow(ArgumentError);
    expect(() => layer.forward(tf.scalar(1))).toThrow(ArgumentError);
    expect(() => new Linear(0, 2, { key })).toThrow('Linear(inFeatures): expected an integer ≥ 1, got 0');
    expect(() => new Linear(2, 1.5, { key })).toThrow('Linear(outFeatures)');
    expect(() => linear(tf.zeros([2, 3]), tf.zeros([3]))).toThrow('linear(weight)');
    expect(() => linear(tf.zeros([2, 3]), tf.zeros([4, 3]), tf.zeros([3]))).toThrow(
      'linear(bias): expected [4], got [3]',
    );
    layer.dispose();
  });

  test('leaves nothing behind', async () => {
    const layer = new Linear(4, 2, { key });
    const x = hashed([2, 3, 4], 1);
    await expectNoLeak(() => layer.forward(x).dispose());
    await expectNoLeak(() => new Linear(4, 2, { key }).dispose());
    layer.dispose();
  });
});

describe('flatten', () => {
  test('counts features as PyTorch does, so that the next linear layer fits', () => {
    const f = (x: tf.Tensor) => linear(flatten(x), hashed([2, 60], 2));
    const x = hashed([2, 3, 4, 5], 1);
    expect(f(x)).toBeAllClose(tensorOf(fixture.flatten.y), 1e-5);
    expect(hashedGradients((a) => f(a!), [x], 4)[0]).toBeAllClose(tensorOf(fixture.flatten.dx), 1e-4);
  });

  test('orders signals by channel, sequences by position', () => {
    const x = tf.tensor3d([[[1, 2], [3, 4], [5, 6]]]); // biome-ignore format: one matrix
    expect([...flatten(x).dataSync()]).toEqual([1, 3, 5, 2, 4, 6]);
    expect([...flatten(x, { channels: 'last' }).dataSync()]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(flatten(tf.zeros([2, 3])).shape).toEqual([2, 3]);
    expect(() => flatten(tf.zeros([3]))).toThrow(ArgumentError);
  });

  test('is undone by unflatten', () => {
    for (const shape of [[3, 4, 5], [6, 2], [7]]) {
      const x = hashed([2, ...shape], 1);
      expect(unflatten(flatten(x), shape)).toBeAllClose(x, 0);
    }
    expect(() => unflatten(tf.zeros([2, 5]), [2, 3])).toThrow(
      'unflatten(x): expected [batch, 6], got [2, 5]',
    );
    const there = new Sequential([new Flatten(), new Unflatten([3, 4, 5])]);
    expect(there.forward(hashed([2, 3, 4, 5], 1))).toBeAllClose(hashed([2, 3, 4, 5], 1), 0);
  });
});
