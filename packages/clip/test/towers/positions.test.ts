import { hashedValues } from '@poiesis/testing';
import { describe, expect, it } from 'vitest';
import { resizePositions } from '../../src';
import { positions } from '../checkpoints/foreign';

describe('resizePositions', () => {
  it.each(positions)('makes $to of $from as torch does, antialias $antialias', ({ grid, ...options }) => {
    const dim = 3;
    const table = hashedValues([1 + options.from[0] * options.from[1], dim], 7);
    const resized = resizePositions(table, dim, options);
    expect(resized.length).toBe((1 + options.to[0] * options.to[1]) * dim);
    expect(resized.subarray(0, dim)).toEqual(table.subarray(0, dim));
    expect(resized.subarray(dim)).toBeAllClose(grid.data, 1e-5);
  });

  it('changes nothing where the grid stays', () => {
    const table = hashedValues([12, 2], 3);
    for (const antialias of [true, false]) {
      expect(resizePositions(table, 2, { from: [3, 4], to: [3, 4], antialias })).toBeAllClose(table, 1e-7);
    }
  });

  it('keeps what is the same everywhere', () => {
    const table = new Float32Array(25).fill(0.7);
    for (const antialias of [true, false]) {
      const resized = resizePositions(table, 1, { from: [5, 5], to: [3, 8], antialias });
      expect(resized).toBeAllClose(new Float32Array(24).fill(0.7), 1e-6);
    }
  });

  it('refuses a table that is smaller than its grid', () => {
    const options = { from: [3, 3], to: [2, 2] } as const;
    expect(() => resizePositions(new Float32Array(16), 2, options)).toThrow(/table.*at least 9 rows of 2/);
    expect(() => resizePositions(new Float32Array(18), 2, { from: [3, 3], to: [0, 2] })).toThrow(
      /integers ≥ 1/,
    );
  });
});
