import { constantInit, randomKey } from '@poiesis/core';
import { describe, expect, it } from 'vitest';
import { FeedForward, GatedFeedForward, MultiHeadAttention } from '../../src';

const key = randomKey(1);
const [ones, twos] = [constantInit(1), constantInit(2)];
const all = (values: ArrayLike<number>, value: number) => Array.from(values).every((x) => x === value);

describe('distributions of first weights', () => {
  it('of an attention', () => {
    for (const widths of [{}, { keyDim: 6 }]) {
      const attention = new MultiHeadAttention(4, 2, { key, init: ones, outInit: twos, ...widths });
      for (const weight of [attention.in_proj_weight, attention.q_proj_weight, attention.k_proj_weight]) {
        if (weight) expect(all(weight.dataSync(), 1)).toBe(true);
      }
      expect(all(attention.out_proj.weight.dataSync(), 2)).toBe(true);
    }
  });

  it('of a feed-forward part, gated or not', () => {
    const plain = new FeedForward(4, 6, { key, init: [ones, twos] });
    const gated = new GatedFeedForward(4, 6, { key, init: [ones, twos] });
    for (const { linear1, linear2 } of [plain, gated]) {
      expect(all(linear1.weight.dataSync(), 1)).toBe(true);
      expect(all(linear2.weight.dataSync(), 2)).toBe(true);
    }
    expect(all(gated.linear3.weight.dataSync(), 1)).toBe(true);
  });
});
