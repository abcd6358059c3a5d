import { ArgumentError } from '@poiesis/core';
import { expectNoLeak, hashedValues } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  imageRetrieval,
  imageTextRetrieval,
  medianRank,
  recallAt,
  retrievalMetrics,
  retrievalRanks,
} from '../../src/retrieval';

/** Vectors on a coarse grid, so that there are ties. */
function coarse(count: number, dim: number, seed: number): number[][] {
  const values = hashedValues([count, dim], seed);
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: dim }, (_, j) => (j === 0 ? 3 : Math.round(values[i * dim + j]!))),
  );
}

/** The rank by its definition, counting as equal what differs by `slack`. */
function byDefinition(
  query: number[],
  gallery: number[][],
  positives: number[],
  excluded: number,
  slack: number,
): number {
  const cosine = (a: number[], b: number[]) =>
    a.reduce((sum, x, j) => sum + x * b[j]!, 0) / (Math.hypot(...a) * Math.hypot(...b));
  const scores = gallery.map((vector) => cosine(query, vector));
  const right = positives.filter((place) => place !== excluded);
  const best = Math.max(...right.map((place) => scores[place]!));
  const wrong = scores.filter((_, place) => place !== excluded && !right.includes(place));
  return 1 + wrong.filter((score) => score >= best - slack).length;
}

it('ranks as the definition does, ties against the model', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 2, max: 15 }),
      fc.integer({ min: 1, max: 999 }),
      async (queries, gallery, seed) => {
        const asked = coarse(queries, 3, seed);
        const answers = coarse(gallery, 3, seed + 1);
        const positives = asked.map((_, i) => [i % gallery, (i * 7 + 3) % gallery]);
        const excluded = asked.map((_, i) => (i % 3 === 0 ? (i + 1) % gallery : -1));
        const usable = positives.map((list, i) => (list.some((p) => p !== excluded[i]) ? excluded[i]! : -1));
        const ranks = await retrievalRanks(asked, answers, positives, usable);
        for (const [i, rank] of ranks.entries()) {
          const rankWith = (slack: number) =>
            byDefinition(asked[i]!, answers, positives[i]!, usable[i]!, slack);
          expect(rank).toBeGreaterThanOrEqual(rankWith(-1e-6));
          expect(rank).toBeLessThanOrEqual(rankWith(1e-6));
        }
      },
    ),
    { numRuns: 60 },
  );
});

it('ranks without ties exactly', async () => {
  const asked = hashedValues([300, 8], 1);
  const answers = hashedValues([40, 8], 2);
  const rows = (flat: Float32Array) =>
    Array.from({ length: flat.length / 8 }, (_, i) => [...flat.subarray(8 * i, 8 * i + 8)]);
  const positives = rows(asked).map((_, i) => [i % 40, (i * 7) % 40]);
  const ranks = await retrievalRanks(rows(asked), rows(answers), positives);
  const expected = rows(asked).map((query, i) => byDefinition(query, rows(answers), positives[i]!, -1, 0));
  expect([...ranks]).toEqual(expected);
});

it('puts a wrong answer before an equal right one', async () => {
  const gallery = [
    [1, 0],
    [1, 0],
    [0, 1],
    [1, 0],
  ];
  expect([...(await retrievalRanks([[2, 0]], gallery, [[1]]))]).toEqual([3]);
  expect([...(await retrievalRanks([[2, 0]], gallery, [[0, 1]], [3]))]).toEqual([1]);
});

it('gives a collapsed model the last ranks', async () => {
  const same = tf.ones([20, 4]) as tf.Tensor2D;
  const { textToImage, imageToText } = await imageTextRetrieval(same, same);
  expect(textToImage).toEqual({ at1: 0, at5: 0, at10: 0, medianRank: 20, queries: 20 });
  expect(imageToText).toEqual(textToImage);
  same.dispose();
});

it('counts ranks', () => {
  const ranks = [1, 1, 2, 5, 6, 10, 11, 40];
  expect(retrievalMetrics(ranks)).toEqual({ at1: 0.25, at5: 0.5, at10: 0.75, medianRank: 5.5, queries: 8 });
  expect(recallAt(ranks, 2)).toBe(3 / 8);
  expect(medianRank([7, 100, 3])).toBe(7);
});

describe('several right answers', () => {
  // Two pictures, two captions of each, in the order of the captions.
  const images = [
    [1, 0],
    [0, 1],
  ];
  const texts = [
    [0.1, 1],
    [1, 0.1],
    [0.2, 1],
    [0.3, 1],
  ];

  it('by groups: one is enough', async () => {
    const { imageToText, textToImage } = await imageTextRetrieval(images, texts, {
      imageGroups: ['a', 'b'],
      textGroups: ['a', 'a', 'b', 'b'],
    });
    expect(imageToText).toMatchObject({ at1: 0.5, medianRank: 1.5 });
    expect(textToImage).toMatchObject({ at1: 0.75, queries: 4 });
  });

  it('by pairs: the same caption for two pictures', async () => {
    const { textToImage } = await imageTextRetrieval(images, texts, {
      pairs: [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 2],
        [1, 3],
      ],
    });
    expect(textToImage.at1).toBe(1);
  });

  it('among images: itself is not found, loners do not ask', async () => {
    const all = [
      [1, 0],
      [1, 0.1],
      [0, 1],
      [0.5, 1],
    ];
    const found = await imageRetrieval(all, [1, 1, 2, 3]);
    expect(found).toEqual({ at1: 1, at5: 1, at10: 1, medianRank: 1, queries: 2 });
    const far = await imageRetrieval(all, [1, 2, 1, 2]);
    expect(far.queries).toBe(4);
    expect(far.at1).toBe(0);
  });
});

it('leaves no tensors behind', async () => {
  const x = tf.tensor2d(hashedValues([12, 4], 1), [12, 4]);
  await expectNoLeak(async () => {
    await imageTextRetrieval(x, x);
    await imageRetrieval(x, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    await expect(
      imageTextRetrieval(x, x, { imageGroups: Array(12).fill(0), textGroups: [1] }),
    ).rejects.toThrow();
  });
  x.dispose();
});

describe('wrong input', () => {
  const two = [
    [1, 0],
    [0, 1],
  ];
  it.each<[string, () => Promise<unknown>, string]>([
    [
      'another number of texts',
      () => imageTextRetrieval(two, [[1, 0]]),
      'expected 2 rows, as many as images, got 1',
    ],
    ['another width', () => imageTextRetrieval(two, [[1], [0]]), 'values'],
    [
      'groups of another number',
      () => imageTextRetrieval(two, two, { imageGroups: [1], textGroups: [1, 2] }),
      'imageTextRetrieval(options.imageGroups): expected 2 values, one per image, got 1',
    ],
    [
      'a query without an answer',
      () => imageTextRetrieval(two, two, { imageGroups: [1, 2], textGroups: [1, 3] }),
      'expected a right answer at least, got "none"',
    ],
    ['a pair beyond the lists', () => imageTextRetrieval(two, two, { pairs: [[0, 2]] }), 'options.pairs'],
    ['NaN', () => imageTextRetrieval([[Number.NaN, 1]], [[1, 0]]), 'finite values'],
    ['no two images of a group', () => imageRetrieval(two, [1, 2]), 'two images of a group at least'],
    ['no ranks', async () => retrievalMetrics([]), 'at least one rank'],
  ])('%s', async (_, call, message) => {
    await expect(call).rejects.toThrow(message);
    await expect(call).rejects.toSatisfy(ArgumentError.isInstance);
  });
});
