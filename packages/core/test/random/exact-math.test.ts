import { describe, expect, it } from 'vitest';
import { hostUniform, randomKey } from '../../src/random';
import { exactLog, lowerNormalTail, normalQuantile } from '../../src/random/exact-math';

describe('exactLog', () => {
  it('agrees with Math.log to a few units in the last place', () => {
    const xs = hostUniform(randomKey(1), 20000, { min: -500, max: 500 });
    const worst = xs.reduce((error, x) => {
      const log = Math.log(Math.exp(x));
      return Math.max(error, Math.abs(exactLog(Math.exp(x)) - log) / Math.abs(log));
    }, 0);
    expect(worst).toBeLessThan(1e-15);
    expect(exactLog(1)).toBe(0);
    expect(exactLog(2)).toBe(Math.LN2);
  });
});

describe('normalQuantile', () => {
  // Python: statistics.NormalDist().inv_cdf(p)
  it.each([
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.9, 1.2815515655446008],
    [0.07, -1.4757910281791702],
    [1e-5, -4.264890793922825],
    [1e-9, -5.997807015007687],
    [1e-12, -7.034483825301131],
    [1e-30, -11.464024688443617],
  ])('is the inverse of the distribution function at %f', (p, z) => {
    expect(Math.abs(normalQuantile(p) - z)).toBeLessThan(1e-14 * Math.max(1, Math.abs(z)));
  });

  it('is odd around one half', () => {
    for (const p of [2 ** -33, 1e-4, 0.03, 0.07499, 0.2]) {
      const mirrored = 1 - p;
      expect(normalQuantile(mirrored)).toBeCloseTo(-normalQuantile(1 - mirrored), 14);
    }
  });
});

describe('lowerNormalTail', () => {
  it.each([
    [0, 0.5],
    [-1, 0.15865525393145705],
    [-2, 0.02275013194817921],
    [-8, 6.22096057427182e-16],
    [-20, 2.75362411860633e-89],
  ])('is the distribution function at %f', (z, p) => {
    expect(Math.abs(lowerNormalTail(z) / p - 1)).toBeLessThan(1e-12);
  });
});
