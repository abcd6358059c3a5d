import {
  ArgumentError,
  hostBernoulli,
  hostCategorical,
  hostDropoutMask,
  hostGumbel,
  hostIntegers,
  hostNormal,
  hostTruncatedNormal,
  hostUniform,
  permutation,
  randomKey,
} from '@poiesis/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chiSquare, fingerprint, kolmogorovSmirnov, moments, normalCdf } from './statistics';

const key = randomKey(3);
const N = 100_000;

/** Standard errors by which a sample mean is off. */
const off = (value: number, expected: number, sd: number, n = N) =>
  Math.abs(value - expected) / (sd / Math.sqrt(n));

describe('hostNormal', () => {
  const x = hostNormal(key, N);

  it('has the moments and the distribution of a normal', () => {
    const m = moments(x);
    expect(off(m.mean, 0, 1)).toBeLessThan(4);
    expect(off(m.variance, 1, Math.sqrt(2))).toBeLessThan(4);
    expect(off(m.skew, 0, Math.sqrt(6))).toBeLessThan(4);
    expect(off(m.kurtosis, 3, Math.sqrt(24))).toBeLessThan(4);
    expect(kolmogorovSmirnov(x, normalCdf)).toBeLessThan(1.95);
  });

  it('has its tails', () => {
    const beyond = hostNormal(key, 1_000_000).filter((v) => Math.abs(v) > 4).length;
    expect(Math.abs(beyond - 63.3)).toBeLessThan(4 * Math.sqrt(63.3));
  });

  it('takes mean and standard deviation', () => {
    const m = moments(hostNormal(key, N, { mean: -5, std: 0.25 }));
    expect(off(m.mean, -5, 0.25)).toBeLessThan(4);
    expect(Math.sqrt(m.variance)).toBeCloseTo(0.25, 2);
    expect([...hostNormal(key, 3, { mean: 2, std: 0 })]).toEqual([2, 2, 2]);
  });

  it('draws element i from the key and i alone', () => {
    expect(hostNormal(key, 5001)).toEqual(x.subarray(0, 5001));
  });
});

describe('hostUniform', () => {
  const x = hostUniform(key, N);

  it('is uniform on [0, 1)', () => {
    const m = moments(x);
    expect(off(m.mean, 0.5, Math.sqrt(1 / 12))).toBeLessThan(4);
    expect(kolmogorovSmirnov(x, (v) => v)).toBeLessThan(1.95);
    expect(Math.max(...x.subarray(0, 50_000))).toBeLessThan(1);
    expect(Math.min(...x.subarray(0, 50_000))).toBeGreaterThanOrEqual(0);
  });

  it('is uniform in pairs', () => {
    const counts = new Float64Array(256);
    for (let i = 0; i < N; i += 2) counts[Math.floor(x[i]! * 16) * 16 + Math.floor(x[i + 1]! * 16)]! += 1;
    expect(Math.abs(chiSquare(counts, new Float64Array(256).fill(N / 512)))).toBeLessThan(4);
  });

  it('never reaches its upper end, whatever rounding does', () => {
    const bound = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
    fc.assert(
      fc.property(bound, bound, fc.integer(), (a, b, seed) => {
        const [min, max] = a < b ? [a, b] : [b, a];
        const x = hostUniform(randomKey(seed), 50, { min, max });
        expect(x.every((v) => v >= min && (v < max || min === max))).toBe(true);
      }),
      { numRuns: 100, seed: 1 },
    );
    // One float32 fits: everything rounds to it.
    const one = hostUniform(key, 1000, { min: 1, max: 1 + 2 ** -23 });
    expect(new Set(one)).toEqual(new Set([1]));
    const negative = hostUniform(key, 1000, { min: -1 - 2 ** -22, max: -1 });
    expect(Math.max(...negative)).toBeLessThan(-1);
  });
});

describe('hostTruncatedNormal', () => {
  it.each([
    [{}, -2, 2],
    [{ min: -0.5, max: 3 }, -0.5, 3],
    [{ min: 1.5, max: 9 }, 1.5, 9],
    [{ min: -9, max: -4 }, -9, -4],
  ])('is the normal distribution cut off: %j', (options, a, b) => {
    const x = hostTruncatedNormal(key, 20_000, options);
    const [low, high] = [normalCdf(a), normalCdf(b)];
    // The reference's tail is good to 1e-7 absolute only: the last case checks bounds, not shape.
    if (b > -4) expect(kolmogorovSmirnov(x, (v) => (normalCdf(v) - low) / (high - low))).toBeLessThan(1.95);
    expect(x.every((v) => v >= a && v <= b)).toBe(true);
  });

  it('scales', () => {
    const x = hostTruncatedNormal(key, 200_000, { mean: 3, std: 0.02 });
    expect(x.every((v) => v >= 2.96 && v <= 3.04)).toBe(true);
    // Standard deviation of a normal cut off at ±2: 0.8796.
    expect(Math.sqrt(moments(x).variance) / 0.02).toBeCloseTo(0.8796, 2);
  });

  it('is accurate far out, where 1 − p has no digits left', () => {
    // E[z | z > 10] = φ(10) / (1 − Φ(10)) = 10.0981.
    const m = moments(hostTruncatedNormal(key, 20_000, { min: 10, max: 30 }));
    expect(m.mean).toBeCloseTo(10.0981, 2);
  });
});

describe('hostBernoulli', () => {
  it.each([0, 0.03, 0.5, 0.9, 1])('has probability %f', (p) => {
    const ones = hostBernoulli(key, p, N).reduce((a, b) => a + b, 0);
    expect(Math.abs(ones - p * N)).toBeLessThanOrEqual(4 * Math.sqrt(N * p * (1 - p)));
  });
});

describe('hostDropoutMask', () => {
  it.each([0, 0.1, 0.5, 0.75, 1])('drops at rate %f and keeps the mean', (rate) => {
    const mask = hostDropoutMask(key, rate, N + 1);
    const zeros = mask.filter((v) => v === 0).length;
    expect(Math.abs(zeros - rate * N)).toBeLessThanOrEqual(4 * Math.sqrt(N * rate * (1 - rate)) + 1);
    const values = new Set(mask);
    expect(values.size).toBe(rate === 0 || rate === 1 ? 1 : 2);
    if (rate < 1) expect(Math.max(...values)).toBeCloseTo(1 / (1 - rate), 4);
  });

  it.each([0, 0.3, 1])('is the same at rate %f in room that held something else', (rate) => {
    const room = new Float32Array(20_011).fill(7);
    const mask = hostDropoutMask(key, rate, 20_001, (n) => room.subarray(5, 5 + n));
    expect(mask.buffer).toBe(room.buffer);
    expect(fingerprint(mask)).toBe(fingerprint(hostDropoutMask(key, rate, 20_001)));
    expect([room[4], room[20_006]]).toEqual([7, 7]);
  });

  it('drops neighbours independently', () => {
    const mask = hostDropoutMask(key, 0.5, 40_000);
    const counts = new Float64Array(16);
    for (let i = 0; i < mask.length; i += 4) {
      counts[[0, 1, 2, 3].reduce((sum, b) => sum + (mask[i + b] === 0 ? 1 << b : 0), 0)]! += 1;
    }
    expect(Math.abs(chiSquare(counts, new Float64Array(16).fill(625)))).toBeLessThan(4);
  });
});

describe('hostIntegers', () => {
  it.each([2, 7, 10, 1000])('hits each of %i values equally often', (max) => {
    const counts = new Float64Array(max);
    for (const v of hostIntegers(key, N, { max })) counts[v]! += 1;
    expect(Math.abs(chiSquare(counts, new Float64Array(max).fill(N / max)))).toBeLessThan(4);
  });

  it('is unbiased where a plain remainder would prefer small values two to one', () => {
    const max = 0x80000000;
    const min = -0x40000000; // range 3 · 2³⁰
    const x = hostIntegers(key, N, { min, max });
    const low = x.filter((v) => v < min + 2 ** 30).length;
    expect(Math.abs(low - N / 3)).toBeLessThan(4 * Math.sqrt((N * 2) / 9));
    expect(hostIntegers(key, 100, { min: -0x80000000, max: 0x80000000 })).toHaveLength(100);
  });
});

describe('permutation', () => {
  it('is a bijection', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.integer(), (n, seed) => {
        const p = permutation(randomKey(seed), n);
        expect([...p].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
      { numRuns: 100, seed: 2 },
    );
  });

  it('gives each order of four equally often', () => {
    const counts = new Map<string, number>();
    const root = randomKey(5);
    for (let i = 0; i < 24_000; i++) {
      const order = permutation(root.fold(i), 4).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(Math.abs(chiSquare([...counts.values()], new Float64Array(24).fill(1000)))).toBeLessThan(4);
  });
});

describe('hostCategorical', () => {
  it('draws with the probabilities softmax(logits)', () => {
    const logits = [0, 1, -2, Number.NEGATIVE_INFINITY, 3];
    const weights = logits.map(Math.exp);
    const total = weights.reduce((a, b) => a + b);
    const counts = new Float64Array(5);
    for (const c of hostCategorical(key, logits, N)) counts[c]! += 1;
    expect(counts[3]).toBe(0);
    const expected = weights.map((w) => (w / total) * N);
    expect(Math.abs(chiSquare(counts, expected))).toBeLessThan(4);
  });
});

describe('hostGumbel', () => {
  it('has the Gumbel distribution', () => {
    expect(kolmogorovSmirnov(hostGumbel(key, N), (v) => Math.exp(-Math.exp(-v)))).toBeLessThan(1.95);
  });
});

it('refuses bad arguments by name', () => {
  expect(() => hostNormal(key, -1)).toThrow(ArgumentError);
  expect(() => hostNormal(key, 1, { std: -1 })).toThrow('normal(options.std): expected a number ≥ 0, got -1');
  expect(() => hostUniform(key, 1, { min: 2 })).toThrow(ArgumentError);
  expect(() => hostTruncatedNormal(key, 1, { min: 1, max: 1 })).toThrow(ArgumentError);
  expect(() => hostTruncatedNormal(key, 1, { min: 60, max: 70 })).toThrow('bounds with some probability');
  expect(() => hostBernoulli(key, 1.5, 1)).toThrow(ArgumentError);
  expect(() => hostDropoutMask(key, Number.NaN, 1)).toThrow(ArgumentError);
  expect(() => hostIntegers(key, 1, { max: 0 })).toThrow(ArgumentError);
  expect(() => permutation(key, 1.5)).toThrow(ArgumentError);
  expect(() => hostCategorical(key, [])).toThrow(ArgumentError);
});

// Seeds are part of what users save: these bits may change only with a major version.
it('keeps its bits from release to release', () => {
  expect({
    normal: fingerprint(hostNormal(key, 100_000)),
    uniform: fingerprint(hostUniform(key, 10_000, { min: -3, max: 5 })),
    truncated: fingerprint(hostTruncatedNormal(key, 10_000)),
    bernoulli: fingerprint(hostBernoulli(key, 0.3, 10_000)),
    dropout: fingerprint(hostDropoutMask(key, 0.1, 10_001)),
    gumbel: fingerprint(hostGumbel(key, 10_000)),
    integers: fingerprint(hostIntegers(key, 10_000, { max: 1000 })),
    permutation: fingerprint(permutation(key, 10_000)),
  }).toEqual({
    normal: 'dd5c412f',
    uniform: 'a517dc6d',
    truncated: 'b6cab078',
    bernoulli: 'fd9b03f8',
    dropout: 'c8d07ca5',
    gumbel: 'fef97c52',
    integers: 'dd0aa4de',
    permutation: 'a5ca4345',
  });
});
