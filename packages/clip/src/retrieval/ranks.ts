import { ArgumentError, checkArgument } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { hostVectors, normalized, type Vectors } from '../embedding-index';

/** Queries whose scores are on the host at a time. */
const CHUNK = 256;

/**
 * The rank of each query's best right answer among the wrong ones, from 1, by cosine similarity. Of equal scores the
 * wrong answers come first: a model that gives all the same score gets the last ranks, not the first. Other right
 * answers do not count.
 *
 * @param positives for each query the places of its right answers in the gallery.
 * @param excluded for each query a place in the gallery that is left out, such as its own; −1 for none.
 * @throws ArgumentError naming the query that has no right answer
 */
export async function retrievalRanks(
  queries: Vectors,
  gallery: Vectors,
  positives: readonly (readonly number[])[],
  excluded?: ArrayLike<number>,
): Promise<Int32Array> {
  const fn = 'retrievalRanks';
  const answers = await hostVectors(fn, 'gallery', gallery);
  const asked = await hostVectors(fn, 'queries', queries, answers.dim);
  checkPositives(fn, positives, asked.count, answers.count, excluded);
  const left = normalized(fn, 'queries', asked);
  const right = tf.tensor2d(normalized(fn, 'gallery', answers), [answers.count, answers.dim]);
  const ranks = new Int32Array(asked.count);
  try {
    for (let start = 0; start < asked.count; start += CHUNK) {
      const count = Math.min(CHUNK, asked.count - start);
      const rows = left.subarray(start * asked.dim, (start + count) * asked.dim);
      const scores = await scoresOf(rows, right, count);
      for (let i = 0; i < count; i++) {
        const row = scores.subarray(i * answers.count, (i + 1) * answers.count);
        ranks[start + i] = rankOf(row, positives[start + i]!, excluded?.[start + i] ?? -1);
      }
    }
  } finally {
    right.dispose();
  }
  return ranks;
}

async function scoresOf(rows: Float32Array, gallery: tf.Tensor2D, count: number): Promise<Float32Array> {
  const product = tf.tidy(() =>
    tf.matMul(tf.tensor2d(rows, [count, gallery.shape[1]]), gallery, false, true),
  );
  try {
    return (await product.data()) as Float32Array;
  } finally {
    product.dispose();
  }
}

function rankOf(scores: Float32Array, positives: readonly number[], excluded: number): number {
  const right = new Set(positives);
  right.delete(excluded);
  let best = Number.NEGATIVE_INFINITY;
  for (const place of right) best = Math.max(best, scores[place]!);
  let rank = 1;
  for (let place = 0; place < scores.length; place++) {
    if (scores[place]! >= best && place !== excluded && !right.has(place)) rank += 1;
  }
  return rank;
}

function checkPositives(
  fn: string,
  positives: readonly (readonly number[])[],
  queries: number,
  gallery: number,
  excluded?: ArrayLike<number>,
): void {
  const { length } = positives;
  checkArgument(length === queries, fn, 'positives', `${queries} lists, one per query`, length);
  for (const [i, list] of positives.entries()) {
    const bad = list.find((place) => !(Number.isInteger(place) && place >= 0 && place < gallery));
    const argument = `positives[${i}]`;
    checkArgument(bad === undefined, fn, argument, `places below ${gallery}`, bad);
    if (list.some((place) => place !== excluded?.[i])) continue;
    throw new ArgumentError({ fn, argument, expected: 'a right answer at least', received: 'none' });
  }
}
