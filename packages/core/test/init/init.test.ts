import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  constantInit,
  gainOf,
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  normalInit,
  onesInit,
  orthogonal,
  truncatedNormalInit,
  uniformInit,
  xavierNormal,
  xavierUniform,
  zerosInit,
} from '../../src/init';
import { randomKey } from '../../src/random';

const key = randomKey(8);
const fan = { in: 50, out: 200 };
const shape = [200, 50];

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

function moments(init: Initializer) {
  const values = init(key, shape, fan).dataSync() as Float32Array;
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  const largest = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  return { mean, std: Math.sqrt(variance), largest };
}

// 10,000 draws: the standard error of the mean is std / 100, of the deviation less. Four of them are allowed.
describe('distributions', () => {
  test.each<[string, Initializer, { mean?: number; std: number; bound?: number }]>([
    ['normal', normalInit(), { std: 1 }],
    ['normal, told', normalInit({ mean: 3, std: 0.02 }), { mean: 3, std: 0.02 }],
    ['uniform', uniformInit({ min: -2, max: 2 }), { std: 2 / Math.sqrt(3), bound: 2 }],
    ['uniform, default', uniformInit(), { mean: 0.5, std: 1 / Math.sqrt(12), bound: 1 }],
    // A normal cut at ±2σ has the deviation 0.8796 σ.
    ['truncated normal', truncatedNormalInit({ std: 0.5 }), { std: 0.8796 * 0.5, bound: 1 }],
    ['truncated normal, PyTorch’s', truncatedNormalInit({ std: 0.1, min: -2, max: 2 }), { std: 0.1 }],
    ['kaiming normal', kaimingNormal(), { std: Math.sqrt(2 / 50) }],
    [
      'kaiming normal, fan out',
      kaimingNormal({ mode: 'fanOut', nonlinearity: 'relu' }),
      { std: Math.sqrt(2 / 200) },
    ],
    ['kaiming uniform', kaimingUniform(), { std: Math.sqrt(2 / 50), bound: Math.sqrt(6 / 50) }],
    [
      'kaiming uniform, PyTorch’s layers',
      kaimingUniform({ a: Math.sqrt(5) }),
      { std: 1 / Math.sqrt(150), bound: 1 / Math.sqrt(50) },
    ],
    ['kaiming, linear', kaimingNormal({ nonlinearity: 'linear' }), { std: Math.sqrt(1 / 50) }],
    ['xavier normal', xavierNormal(), { std: Math.sqrt(2 / 250) }],
    [
      'xavier uniform',
      xavierUniform({ gain: 5 / 3 }),
      { std: (5 / 3) * Math.sqrt(2 / 250), bound: (5 / 3) * Math.sqrt(6 / 250) },
    ],
  ])('%s', (_, init, { mean = 0, std, bound }) => {
    const m = moments(init);
    expect(Math.abs(m.mean - mean)).toBeLessThan((4 * std) / 100);
    expect(Math.abs(m.std / std - 1)).toBeLessThan(4 / Math.sqrt(2 * 10_000));
    if (bound !== undefined) {
      expect(m.largest).toBeLessThanOrEqual(Math.fround(bound));
      expect(m.largest).toBeGreaterThan(0.99 * bound);
    }
  });

  test('constants', () => {
    expect([...zerosInit()(key, [2], fan).dataSync()]).toEqual([0, 0]);
    expect([...onesInit()(key, [2], fan).dataSync()]).toEqual([1, 1]);
    expect([...constantInit(-3)(key, [2], fan).dataSync()]).toEqual([-3, -3]);
  });

  test('are functions of the key', () => {
    for (const init of [normalInit(), uniformInit(), kaimingNormal(), orthogonal()]) {
      expect(init(key, [3, 4], fan)).toBeAllClose(init(randomKey(8), [3, 4], fan), 0);
      const other = init(randomKey(9), [3, 4], fan);
      expect(() => expect(init(key, [3, 4], fan)).toBeAllClose(other, 1e-3)).toThrow();
    }
  });

  test('gains as torch.nn.init.calculate_gain', () => {
    expect(gainOf('linear')).toBe(1);
    expect(gainOf('sigmoid')).toBe(1);
    expect(gainOf('tanh')).toBeCloseTo(5 / 3, 12);
    expect(gainOf('relu')).toBeCloseTo(Math.sqrt(2), 12);
    expect(gainOf('leakyRelu')).toBeCloseTo(Math.sqrt(2 / (1 + 0.01 ** 2)), 12);
    expect(gainOf('leakyRelu', 0.2)).toBeCloseTo(Math.sqrt(2 / 1.04), 12);
    expect(gainOf('selu')).toBe(0.75);
    expect(() => gainOf('gelu' as 'relu')).toThrow('gainOf(nonlinearity)');
  });
});

describe('orthogonal', () => {
  test.each([
    { shape: [8, 8] },
    { shape: [5, 20] },
    { shape: [20, 5] },
    { shape: [3, 3, 4, 8] },
    { shape: [2, 2, 1, 16] },
    { shape: [300, 300] },
  ])('$shape has orthonormal rows or columns', ({ shape }) => {
    const columns = shape.at(-1)!;
    const m = tf.reshape(orthogonal()(key, shape, fan), [-1, columns]) as tf.Tensor2D;
    const tall = m.shape[0] >= columns;
    const gram = tall ? tf.matMul(m, m, true, false) : tf.matMul(m, m, false, true);
    expect(gram).toBeAllClose(tf.eye(Math.min(m.shape[0], columns)), 1e-5);
  });

  test('scales by its gain and wants a matrix', () => {
    const m = orthogonal({ gain: 3 })(key, [4, 4], fan) as tf.Tensor2D;
    expect(tf.matMul(m, m, true)).toBeAllClose(tf.mul(tf.eye(4), 9), 1e-5);
    expect(() => orthogonal()(key, [4], fan)).toThrow(
      'orthogonal(shape): expected at least two axes, got [4]',
    );
  });
});

test('leaves nothing behind', async () => {
  await expectNoLeak(() => {
    for (const init of [
      normalInit(),
      uniformInit(),
      truncatedNormalInit(),
      xavierNormal(),
      orthogonal(),
      zerosInit(),
    ]) {
      init(key, [4, 3], fan).dispose();
    }
  });
});
