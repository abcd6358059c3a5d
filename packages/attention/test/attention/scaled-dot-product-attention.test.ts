// The numbers of PyTorch: fixtures/sdpa.py.
import { ArgumentError, randomKey } from '@poiesis/core';
import { checkGradients, expectNoLeak, hashed, hashedGradients, loadFixture } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { type AttentionOptions, causalMask, scaledDotProductAttention } from '../../src';
import { expectClose, GRADIENTS, maskOf, type Recorded, VALUES } from '../torch';

interface Case {
  name: string;
  q: number[];
  k: number[];
  v: number[];
  causal: boolean;
  scale: number | null;
  mask: Recorded | null;
  bias: number[] | null;
  output: Recorded;
  dq: Recorded;
  dk: Recorded;
  dv: Recorded;
  dBias?: Recorded;
}

const cases: Case[] = loadFixture(import.meta.url, '../../fixtures/sdpa.json');

function inputsOf(c: Case): tf.Tensor[] {
  return [hashed(c.q, 1, 2), hashed(c.k, 2, 2), hashed(c.v, 3), ...(c.bias ? [hashed(c.bias, 4)] : [])];
}

const attend =
  (c: Case, more: AttentionOptions = {}) =>
  (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, bias?: tf.Tensor) => {
    const { causal, scale, mask } = c;
    const options = { causal, scale: scale ?? undefined, mask: maskOf(mask), bias, ...more };
    return scaledDotProductAttention(q, k, v, options) as tf.Tensor;
  };

describe.each(cases)('$name', (expected) => {
  // At once, in blocks that do not divide the queries, and one query at a time.
  it.each([undefined, 2, 1])('is PyTorch’s, values and gradients, in blocks of %s', (queryBlock) => {
    const f = attend(expected, { queryBlock });
    const inputs = inputsOf(expected);
    expectClose(f(...(inputs as [tf.Tensor, tf.Tensor, tf.Tensor])), expected.output, VALUES, 'output');
    const grads = hashedGradients(f as (...xs: tf.Tensor[]) => tf.Tensor, inputs, 5);
    const wanted = [expected.dq, expected.dk, expected.dv, ...(expected.dBias ? [expected.dBias] : [])];
    for (const [i, grad] of grads.entries()) {
      expectClose(grad, wanted[i]!, GRADIENTS, `gradient ${['q', 'k', 'v', 'bias'][i]}`);
    }
  });
});

const [q, k, v] = [hashed([2, 4, 3, 4], 1), hashed([2, 2, 5, 4], 2), hashed([2, 2, 5, 6], 3)];

describe('weights', () => {
  it('are a distribution over the keys that may be seen, and 0 for queries that may see none', () => {
    const mask = tf.tensor2d([1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1], [3, 5], 'bool');
    const { output, weights } = scaledDotProductAttention(q, k, v, { mask, returnWeights: true });
    expect(weights.shape).toEqual([2, 4, 3, 5]);
    const sums = tf.sum(weights, -1).arraySync() as number[][][];
    for (const row of sums.flat()) {
      expect(row[0]).toBeCloseTo(1, 5);
      expect(row[1]).toBe(0);
      expect(row[2]).toBeCloseTo(1, 5);
    }
    const masked = tf.mul(weights, tf.cast(tf.logicalNot(mask), 'float32'));
    expect(tf.sum(masked).dataSync()[0]).toBe(0);
    // Each key head serves two neighbours.
    const repeated = tf.gather(v, tf.tensor1d([0, 0, 1, 1], 'int32'), 1);
    expect(output).toBeAllClose(tf.matMul(weights, repeated));
  });

  it('lose some to dropout, the others grow, and the same key drops the same', () => {
    const ones = tf.ones([2, 2, 5, 6]);
    const dropped = (seed: number, queryBlock?: number) =>
      scaledDotProductAttention(q, k, ones, { dropout: 0.5, key: randomKey(seed), queryBlock });
    const all = Array.from(dropped(1).dataSync());
    expect(all).toEqual(Array.from(dropped(1).dataSync()));
    expect(all).not.toEqual(Array.from(dropped(2).dataSync()));
    const mean = all.reduce((sum, x) => sum + x, 0) / all.length;
    expect(mean).toBeGreaterThan(0.6);
    expect(mean).toBeLessThan(1.4);
    expect(Array.from(dropped(1, 2).dataSync())).toEqual(Array.from(dropped(1, 2).dataSync()));
  });

  it('with dropout have the gradient of finite differences, at once and in blocks', () => {
    const inputs = [hashed([1, 2, 3, 2], 1), hashed([1, 1, 3, 2], 2), hashed([1, 1, 3, 2], 3)];
    for (const queryBlock of [undefined, 2]) {
      const options = { dropout: 0.3, key: randomKey(4), causal: true, queryBlock };
      checkGradients((q, k, v) => scaledDotProductAttention(q!, k!, v!, options), inputs);
    }
  });
});

it('is the same in blocks, and by itself for very many scores', () => {
  const [q, kv] = [hashed([1, 1, 40, 4], 1), hashed([1, 1, 40, 4], 2)];
  const whole = scaledDotProductAttention(q, kv, kv, { causal: true });
  for (const queryBlock of [1, 7, 39, 40, 1000]) {
    expect(scaledDotProductAttention(q, kv, kv, { causal: true, queryBlock })).toBeAllClose(whole, 1e-6);
  }
});

it('takes one head without an axis for it', () => {
  const [q3, kv3] = [hashed([2, 3, 4], 1), hashed([2, 5, 4], 2)];
  const mask = tf.tensor3d([1, 1, 1, 0, 1, 1, 1, 1, 1, 1], [2, 1, 5], 'bool');
  const { output, weights } = scaledDotProductAttention(q3, kv3, kv3, { mask, returnWeights: true });
  expect(output.shape).toEqual([2, 3, 4]);
  expect(weights.shape).toEqual([2, 3, 5]);
  const headed = (x: tf.Tensor) => tf.expandDims(x, 1);
  const wide = scaledDotProductAttention(headed(q3), headed(kv3), headed(kv3), { mask: headed(mask) });
  expect(output).toBeAllClose(tf.squeeze(wide, [1]));
});

it('is differentiable twice, at once and in blocks', () => {
  const inputs = [hashed([1, 2, 3, 2], 1), hashed([1, 1, 3, 2], 2), hashed([1, 1, 3, 2], 3)];
  for (const queryBlock of [undefined, 2]) {
    const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
      tf.sum(tf.square(scaledDotProductAttention(q, k, v, { causal: true, queryBlock }))) as tf.Scalar;
    checkGradients((q, k, v) => tf.grad((x) => f(x, k!, v!))(q!), inputs);
  }
});

it('leaves no tensor behind', async () => {
  await expectNoLeak(() => {
    for (const options of [{}, { causal: true }, { queryBlock: 2, causal: true }]) {
      scaledDotProductAttention(q, k, v, options).dispose();
      tf.dispose(
        tf.grads((q, k, v) => tf.sum(scaledDotProductAttention(q!, k!, v!, options)) as tf.Scalar)([q, k, v]),
      );
    }
  });
});

describe('wrong input is named', () => {
  const named = (options: AttentionOptions) => () => scaledDotProductAttention(q, k, v, options);
  const of = (shape: number[], dtype: 'bool' | 'float32' | 'int32' = 'bool') => tf.zeros(shape, dtype);
  it.each<[string, () => unknown, string]>([
    ['a mask of other lengths', named({ mask: of([5, 3]) }), 'options.mask): expected [3 or 1, 5 or 1]'],
    ['a mask of rank 3', named({ mask: of([2, 3, 5]) }), 'options.mask): expected [3 or 1, 5 or 1]'],
    ['a mask of another batch', named({ mask: of([3, 1, 3, 5]) }), 'got [3, 1, 3, 5]'],
    ['a mask of integers', named({ mask: of([3, 5], 'int32') }), 'expected bool (true: may attend)'],
    ['a bool mask as floats', named({ mask: tf.ones([3, 5]) }), 'got "float32 of only 0 and 1"'],
    ['a bool bias', named({ bias: of([3, 5]) }), 'options.bias): expected float32'],
    ['dropout without a key', named({ dropout: 0.1 }), 'options.key): expected a key'],
    ['a rate of 1', named({ dropout: 1, key: randomKey(1) }), 'options.dropout): expected a rate in [0, 1)'],
    ['a block of no queries', named({ queryBlock: 0 }), 'options.queryBlock): expected an integer ≥ 1'],
    [
      'heads that do not divide',
      () => scaledDotProductAttention(q, tf.ones([2, 3, 5, 4]), tf.ones([2, 3, 5, 4])),
      "k): expected a number of heads that divides the queries' 4, got 3",
    ],
    [
      'another dimension of the keys',
      () => scaledDotProductAttention(q, tf.ones([2, 4, 5, 3]), v),
      'k): expected [2, kvHeads, keys, 4], got [2, 4, 5, 3]',
    ],
    [
      'more values than keys',
      () => scaledDotProductAttention(q, k, tf.ones([2, 2, 6, 6])),
      'v): expected [2, 2, 5, valueDim], as many as keys, got [2, 2, 6, 6]',
    ],
    [
      'an empty sequence',
      () => scaledDotProductAttention(q, tf.ones([2, 2, 0, 4]), tf.ones([2, 2, 0, 4])),
      'k): expected a sequence that is not empty, got [2, 2, 0, 4]',
    ],
    ['integers', () => scaledDotProductAttention(tf.cast(q, 'int32'), k, v), 'q): expected type float32'],
    ['one axis', () => scaledDotProductAttention(tf.ones([4]), k, v), 'q): expected [batch, seq, dim] or'],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(message);
  });
});

describe('causalMask', () => {
  it('is aligned at the bottom right', () => {
    expect(causalMask(3).arraySync()).toEqual([
      [1, 0, 0],
      [1, 1, 0],
      [1, 1, 1],
    ]);
    expect(causalMask(2, 4).arraySync()).toEqual([
      [1, 1, 1, 0],
      [1, 1, 1, 1],
    ]);
    expect(causalMask(3, 2).arraySync()).toEqual([
      [0, 0],
      [1, 0],
      [1, 1],
    ]);
  });

  it('starts where a tensor says', () => {
    expect(causalMask(2, 4, tf.scalar(1, 'int32')).arraySync()).toEqual([
      [1, 1, 0, 0],
      [1, 1, 1, 0],
    ]);
  });
});
