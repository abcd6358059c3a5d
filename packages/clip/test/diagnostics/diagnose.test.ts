import { expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { diagnose, effectiveRank, l2Normalize, meanCosine } from '../../src';

const spread = (n: number, d: number, seed = 1) => hashed([n, d], seed) as tf.Tensor2D;
const near = (point: number[], n: number) =>
  tf.add(tf.tensor2d([point]), tf.mul(spread(n, point.length), 0.05)) as tf.Tensor2D;

describe('diagnose', () => {
  it('finds nothing in features that keep apart', async () => {
    expect(
      await diagnose({ image: spread(20, 8), text: spread(20, 8, 2), logitScale: tf.scalar(30) }),
    ).toEqual([]);
  });

  it('finds features that are all the same', async () => {
    const found = await diagnose({ image: near([1, 2, -1], 10), text: spread(10, 3) });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ kind: 'collapsed-embeddings', side: 'image' });
    expect(found[0]!.sentence).toMatch(
      /^The features of all pictures are nearly the same \(mean cosine 0\.99/,
    );
  });

  it('finds features on one line, which the mean cosine does not see', async () => {
    const point = near([1, 2, -1], 10);
    const text = tf.mul(
      point,
      tf.reshape(tf.tensor1d([1, -1, 1, -1, 1, -1, 1, -1, 1, -1]), [10, 1]),
    ) as tf.Tensor2D;
    const [found] = await diagnose({ text });
    expect(found).toMatchObject({ kind: 'collapsed-embeddings', side: 'text' });
    const { cosine, effectiveRank } = found as { cosine: number; effectiveRank: number };
    expect(cosine).toBeLessThan(0);
    expect(effectiveRank).toBeLessThan(1.1);
  });

  it('finds a temperature at either limit', async () => {
    const limit = async (scale: number) =>
      (await diagnose({ image: spread(9, 4), logitScale: tf.scalar(scale) })).map((f) => [
        f.kind,
        'limit' in f && f.limit,
      ]);
    expect(await limit(100)).toEqual([['saturated-temperature', 'upper']]);
    expect(await limit(1)).toEqual([['saturated-temperature', 'lower']]);
    expect(await limit(98)).toEqual([]);
    expect(await limit(1.1)).toEqual([]);
  });

  it('takes thresholds of one’s own', async () => {
    expect(await diagnose({ image: near([1, 2, -1], 10) }, { cosine: 0.9999, rank: 1 })).toEqual([]);
  });

  it('leaves no tensor behind', () =>
    expectNoLeak(async () => {
      const image = spread(4, 3);
      await diagnose({ image });
      image.dispose();
    }));

  it('rejects what it cannot judge', async () => {
    await expect(diagnose({})).rejects.toThrow('diagnose(features): expected image, text, or both');
    await expect(diagnose({ image: spread(1, 3) })).rejects.toThrow(
      'diagnose(features.image): expected [n, d] with n > 1',
    );
  });
});

describe('measures', () => {
  const value = (x: tf.Scalar) => x.dataSync()[0]!;

  it('meanCosine is the mean over pairs', () => {
    const unit = l2Normalize(spread(7, 5));
    const cosines = tf.matMul(unit, unit, false, true).arraySync() as number[][];
    const pairs = cosines.flatMap((row, i) => row.filter((_, j) => i !== j));
    expect(value(meanCosine(unit))).toBeCloseTo(pairs.reduce((a, b) => a + b) / pairs.length, 5);
    expect(value(meanCosine(l2Normalize(spread(1, 5))))).toBe(0);
  });

  it('effectiveRank counts directions', () => {
    const axes = tf.eye(4);
    expect(value(effectiveRank(axes))).toBeCloseTo(4, 5);
    expect(value(effectiveRank(tf.tile(axes, [3, 1])))).toBeCloseTo(4, 5);
    expect(value(effectiveRank(tf.slice(axes, [0, 0], [2, 4])))).toBeCloseTo(2, 5);
    expect(
      value(
        effectiveRank(
          tf.tensor2d([
            [1, 0],
            [-1, 0],
          ]),
        ),
      ),
    ).toBeCloseTo(1, 5);
  });
});
