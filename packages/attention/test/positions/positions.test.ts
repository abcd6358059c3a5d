// The published formulas' numbers: fixtures/positions.py.
import { ArgumentError, hostTensor, randomKey, StateDictError } from '@poiesis/core';
import { checkGradients, expectNoLeak, hashed, loadFixture } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  AlibiPositions,
  addPositions,
  alibiSlopes,
  LearnedPositions,
  RelativeBias,
  RotaryPositions,
  relativeBucket,
  rotary,
  SinusoidalPositions,
  scaledDotProductAttention,
  sinusoidal,
} from '../../src';
import { expectClose, type Recorded, VALUES } from '../torch';

const fixture: {
  sinusoidal: Recorded[];
  rotary: Record<'half' | 'halfLater' | 'interleaved' | 'interleavedLater' | 'base', Recorded>;
  slopes: Record<string, number[]>;
  buckets: Record<'both' | 'past' | 'few', number[]>;
} = loadFixture(import.meta.url, '../../fixtures/positions.json');

const positions = (...at: number[]) => tf.tensor1d(at, 'int32');

describe('sinusoidal positions', () => {
  it.each(fixture.sinusoidal)('of $shape are the paper’s', (expected) => {
    const [length, dim] = expected.shape as [number, number];
    expectClose(sinusoidal(length, dim), expected, VALUES, 'table');
    const added = new SinusoidalPositions(dim).embed(tf.zeros([1, length, dim]));
    expectClose(tf.squeeze(added, [0]), expected, VALUES, 'added');
  });

  it('differ along the sequence and not along the batch', () => {
    const y = new SinusoidalPositions(8).embed(tf.zeros([3, 5, 8]));
    const [first, second, third] = tf.unstack(y) as [tf.Tensor, tf.Tensor, tf.Tensor];
    expect(second).toBeAllClose(first, 0);
    expect(third).toBeAllClose(first, 0);
    const rows = (first.arraySync() as number[][]).map((row) => row.join());
    expect(new Set(rows).size).toBe(5);
  });

  it('do not take the circulated table of [maxLength, 1, dim], which gives all tokens of a row the same code', () => {
    const x = tf.zeros([3, 5, 8]);
    const circulated = tf.expandDims(sinusoidal(3, 8), 1); // (3, 1, 8): broadcasts over (3, 5, 8) without a word
    const rows = (tf.slice(tf.add(x, circulated), [1, 0, 0], [1, 5, 8]).arraySync() as number[][][])[0]!;
    expect(new Set(rows.map((row) => row.join())).size).toBe(1);
    const run = () => addPositions(x, circulated);
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow('addPositions(table): expected [maxLength, 8], got [3, 1, 8]');
    const learned = new LearnedPositions(3, 8, { key: randomKey(1) });
    const weight = hostTensor(new Float32Array(24), [3, 1, 8]);
    expect(() => learned.loadStateDict({ weight })).toThrow(StateDictError);
  });

  it('of tokens at given positions are those of these positions', () => {
    const table = new SinusoidalPositions(6, { maxLength: 20 });
    const all = table.embed(tf.zeros([1, 20, 6]));
    const some = table.embed(tf.zeros([1, 3, 6]), { at: positions(4, 0, 19) });
    expect(some).toBeAllClose(tf.gather(all, positions(4, 0, 19), 1), 0);
    const few = table.embed(tf.zeros([1, 1, 6]), { at: positions(4), length: 5 });
    expect(few).toBeAllClose(tf.slice(all, [0, 4, 0], [1, 1, 6]), 0);
  });

  it('name what is wrong', () => {
    const table = new SinusoidalPositions(6, { maxLength: 4 });
    expect(() => table.embed(tf.zeros([1, 5, 6]))).toThrow(
      'SinusoidalPositions.embed(x): expected at most 4 positions, got "a sequence of 5"',
    );
    expect(() => table.embed(tf.zeros([5, 6]))).toThrow('expected [batch, seq, 6], got [5, 6]');
    expect(() => table.embed(tf.zeros([1, 2, 6]), { at: positions(1) })).toThrow(
      'place.at): expected int32 [2]',
    );
    expect(() => new SinusoidalPositions(0)).toThrow('sinusoidal(dim): expected an integer ≥ 1, got 0');
  });
});

describe('learned positions', () => {
  it('are rows of a table, with gradients', () => {
    const learned = new LearnedPositions(4, 3, { key: randomKey(1) });
    expect(Object.keys(learned.namedParameters())).toEqual(['weight']);
    const x = hashed([2, 3, 3], 1);
    const table = learned.weight.arraySync() as number[][];
    const expected = (x.arraySync() as number[][][]).map((rows) =>
      rows.map((row, s) => row.map((value, i) => value + table[s]![i]!)),
    );
    expect(learned.embed(x)).toBeAllClose(tf.tensor(expected));
    checkGradients((table) => addPositions(x, table!), [hashed([4, 3], 2)]);
    checkGradients((table) => addPositions(x, table!, { at: positions(1, 3, 1) }), [hashed([4, 3], 2)]);
    expect(() => learned.embed(tf.zeros([1, 5, 3]))).toThrow('at most 4 positions, got "a sequence of 5"');
  });
});

describe('rotary positions', () => {
  const x = hashed([2, 2, 5, 8], 1);
  const later = positions(7, 3, 0, 100, 30);

  it.each(['half', 'interleaved'] as const)('turn %s as published', (layout) => {
    expectClose(rotary(x, { layout }), fixture.rotary[layout], VALUES, 'first positions');
    expectClose(rotary(x, { layout, at: later }), fixture.rotary[`${layout}Later`], VALUES, 'others');
    checkGradients((x) => rotary(x!, { layout }), [hashed([1, 1, 3, 4], 2)]);
  });

  it('turn by other angles for another base', () => {
    expectClose(rotary(x, { base: 500 }), fixture.rotary.base, VALUES, 'base 500');
  });

  it('make scores depend on distances alone', () => {
    const [q, k] = [hashed([1, 2, 4, 8], 1), hashed([1, 2, 4, 8], 2)];
    const scores = (first: number) => {
      const at = tf.range(first, first + 4, 1, 'int32');
      return tf.matMul(rotary(q, { at }), rotary(k, { at }), false, true);
    };
    expect(scores(50)).toBeAllClose(scores(0));
  });

  it('name what is wrong', () => {
    const scheme = new RotaryPositions({ maxLength: 4 });
    expect(() => scheme.rotate(x)).toThrow('expected at most 4 positions, got "a sequence of 5"');
    expect(() => rotary(tf.zeros([1, 1, 2, 3]))).toThrow('with an even headDim, got [1, 1, 2, 3]');
    expect(() => new RotaryPositions({ layout: 'other' as 'half' })).toThrow("'half' or 'interleaved'");
  });
});

describe('ALiBi', () => {
  it.each(Object.entries(fixture.slopes))('of %s heads has the authors’ slopes', (heads, expected) => {
    expect(alibiSlopes(Number(heads))).toHaveLength(expected.length);
    expect(Float32Array.from(alibiSlopes(Number(heads)))).toBeAllClose(expected);
  });

  it('falls with the distance', () => {
    const bias = new AlibiPositions(2).bias(3, 4);
    expect(bias.shape).toEqual([1, 2, 3, 4]);
    const near = [0, -1, -2, -3, -1, 0, -1, -2, -2, -1, 0, -1];
    expect(bias).toBeAllClose([...near.map((x) => x / 16), ...near.map((x) => x / 256)]);
    const later = new AlibiPositions(2).bias(1, 4, { at: positions(2) });
    expect(later).toBeAllClose(tf.slice(bias, [0, 0, 2, 0], [1, 2, 1, 4]), 0);
  });
});

describe('T5’s relative bias', () => {
  it.each([
    ['both', {}],
    ['past', { bidirectional: false }],
    ['few', { buckets: 8, maxDistance: 20 }],
  ] as const)('has its buckets: %s', (name, options) => {
    const actual = fixture.buckets[name].map((_, i) => relativeBucket(i - 200, options));
    expect(actual).toEqual(fixture.buckets[name]);
  });

  it('is a number of head and bucket, with gradients', () => {
    const scheme = new RelativeBias(3, { buckets: 8, maxDistance: 20, key: randomKey(1) });
    expect(Object.keys(scheme.namedParameters())).toEqual(['relative_attention_bias.weight']);
    const bias = scheme.bias(3, 5);
    expect(bias.shape).toEqual([1, 3, 3, 5]);
    const table = scheme.relative_attention_bias.weight.arraySync() as number[][];
    const values = bias.arraySync() as number[][][][];
    for (const [h, rows] of values[0]!.entries()) {
      for (const [i, row] of rows.entries()) {
        for (const [j, value] of row.entries()) {
          expect(value).toBe(table[relativeBucket(j - i, { buckets: 8, maxDistance: 20 })]![h]);
        }
      }
    }
    const later = scheme.bias(2, 5, { at: positions(2, 0) });
    expect(later).toBeAllClose(tf.gather(bias, positions(2, 0), 2), 0);
    const grad = tf.variableGrads(
      () => tf.sum(scheme.bias(3, 5)) as tf.Scalar,
      [scheme.relative_attention_bias.weight],
    ).grads;
    expect(tf.sum(Object.values(grad)[0]!).dataSync()[0]).toBeCloseTo(3 * 15);
  });

  it('goes through attention', () => {
    const scheme = new RelativeBias(2, { key: randomKey(1) });
    const [q, k] = [hashed([1, 2, 3, 4], 1), hashed([1, 2, 3, 4], 2)];
    const y = scaledDotProductAttention(q, k, k, { bias: scheme.bias(3, 3), causal: true, scale: 1 });
    expect(y.shape).toEqual([1, 2, 3, 4]);
  });

  it('names what is wrong', () => {
    const make = (options: object) => () => new RelativeBias(2, { key: randomKey(1), ...options });
    expect(make({ buckets: 6 })).toThrow('options.buckets): expected a positive multiple of 4, got 6');
    expect(make({ maxDistance: 8 })).toThrow('options.maxDistance): expected more than 8, got 8');
  });
});

it('no scheme leaves a tensor behind', async () => {
  const learned = new LearnedPositions(9, 4, { key: randomKey(1) });
  const relative = new RelativeBias(2, { key: randomKey(1) });
  await expectNoLeak(() =>
    tf.tidy(() => {
      const x = tf.zeros([1, 3, 4]);
      const before = tf.memory().numTensors;
      const place = { at: positions(3, 1, 2), length: 4 };
      const made = [
        new SinusoidalPositions(4).embed(x, place),
        learned.embed(x, place),
        rotary(tf.expandDims(x, 1)),
        new AlibiPositions(2).bias(3, 4, place),
        relative.bias(3, 4, place),
      ];
      expect(tf.memory().numTensors - before).toBe(made.length + 2); // `place.at` and the input of `rotary`
    }),
  );
});
