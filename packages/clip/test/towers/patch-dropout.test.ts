import { randomKey } from '@poiesis/core';
import { checkGradients, expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { patchDropout } from '../../src';

const key = randomKey(1);

/** Tokens that say which they are. */
function numbered(batch: number, seq: number): tf.Tensor3D {
  return tf.reshape(tf.range(0, batch * seq), [batch, seq, 1]);
}

describe('patchDropout', () => {
  it('leaves out a share of the patches of each picture, and never the class token', () => {
    const kept = patchDropout(numbered(4, 11), { rate: 0.35, keep: 1, key });
    expect(kept.shape).toEqual([4, 7, 1]); // 1 + ⌊10 · 0.65⌋
    const rows = (tf.squeeze(kept, [2]) as tf.Tensor2D).arraySync();
    for (const [i, row] of rows.entries()) {
      expect(row[0]).toBe(11 * i);
      expect(new Set(row).size).toBe(7);
      for (const token of row) expect(Math.floor(token / 11)).toBe(i);
      expect([...row].sort((a, b) => a - b)).toEqual(row);
    }
    const places = rows.map((row, i) => row.map((token) => token - 11 * i).join());
    expect(new Set(places).size).toBeGreaterThan(1); // others in each picture
  });

  it('is decided by the key', () => {
    const x = numbered(2, 9);
    const once = patchDropout(x, { rate: 0.5, key });
    expect(patchDropout(x, { rate: 0.5, key })).toBeAllClose(once, 0);
    const other = patchDropout(x, { rate: 0.5, key: randomKey(2) });
    expect(other.dataSync()).not.toEqual(once.dataSync());
  });

  it('keeps every patch equally often', () => {
    const counts = new Float32Array(8);
    const kept = patchDropout(numbered(400, 8), { rate: 0.75, key });
    for (const token of kept.dataSync()) counts[token % 8]! += 1;
    expect(kept.size).toBe(800);
    for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(40); // 4.6 deviations
  });

  it('keeps one patch at least, and all at a rate of 0', () => {
    expect(patchDropout(numbered(1, 3), { rate: 0.99, key }).shape).toEqual([1, 1, 1]);
    expect(patchDropout(numbered(1, 3), { rate: 0 }).shape).toEqual([1, 3, 1]);
  });

  it('has a gradient', () => {
    checkGradients(
      (x) => patchDropout(x as tf.Tensor3D, { rate: 0.5, keep: 1, key }),
      [hashed([2, 5, 2], 1)],
    );
  });

  it('leaves no tensors behind', async () => {
    const x = numbered(2, 5);
    await expectNoLeak(() => patchDropout(x, { rate: 0.5, keep: 1, key }).dispose());
  });

  it('refuses a rate without key, rates outside [0, 1), and tokens of which none is a patch', () => {
    const x = numbered(1, 1);
    expect(() => patchDropout(x, { rate: 0.5 })).toThrow(/options\.key.*a key, for a rate of 0\.5/);
    expect(() => patchDropout(x, { rate: 1, key })).toThrow(/a rate in \[0, 1\)/);
    expect(() => patchDropout(x, { rate: 0.5, keep: 1, key })).toThrow(/more than 1 tokens/);
  });
});
