import * as tf from '@tensorflow/tfjs-core';
import type { Block, Rows } from './rows';
import { TopK } from './top-k';

/**
 * Where exact search multiplies. `'host'` in plain JavaScript, in doubles; `'backend'` by matrix products on the active
 * backend, in float32, which pays with many queries at once on a native or graphics backend.
 */
export type Compute = 'host' | 'backend';

/** Looks at every row. */
export async function scan(
  rows: Rows,
  queries: Float32Array,
  k: number,
  compute: Compute,
): Promise<{ key: number; score: number }[][]> {
  const { dim } = rows;
  const count = queries.length / dim;
  const best = Array.from({ length: count }, () => new TopK(Math.min(k, rows.size)));
  for (const block of rows.blocks()) {
    // [queries, rows of the block]
    const scores =
      compute === 'host' ? hostScores(block, queries, dim) : await backendScores(block, queries, dim);
    for (const [q, top] of best.entries()) {
      let threshold = top.threshold;
      for (let r = 0, at = q * block.count; r < block.count; r++, at++) {
        // Rows are not in the order of their keys, so equal scores are worth a closer look.
        if (scores[at]! < threshold) continue;
        top.offer(scores[at]!, rows.keys[block.start + r]!);
        threshold = top.threshold;
      }
    }
  }
  return best.map((top) => top.sorted());
}

async function backendScores(
  { data, count }: Block,
  queries: Float32Array,
  dim: number,
): Promise<ArrayLike<number>> {
  const product = tf.tidy(() => {
    const left = tf.tensor2d(queries, [queries.length / dim, dim]);
    return tf.matMul(left, tf.tensor2d(data, [count, dim]), false, true);
  });
  try {
    return await product.data();
  } finally {
    product.dispose();
  }
}

/** Queries go over the rows in pairs, so that each row is loaded half as often; an odd one goes alone. */
function hostScores({ data, count }: Block, queries: Float32Array, dim: number): Float64Array {
  const number = queries.length / dim;
  const scores = new Float64Array(number * count);
  let q = 0;
  for (; q + 2 <= number; q += 2) {
    const [a, b] = [scores.subarray(q * count), scores.subarray((q + 1) * count)];
    pair(data, count, queries.subarray(q * dim), queries.subarray((q + 1) * dim), dim, a, b);
  }
  if (q < number) single(data, count, queries.subarray(q * dim), dim, scores.subarray(q * count));
  return scores;
}

// In both the same four sums, which do not wait for each other: a score does not depend on who else is asked for.

function single(data: Float32Array, count: number, query: Float32Array, dim: number, scores: Float64Array) {
  const whole = dim - (dim % 4);
  for (let r = 0, at = 0; r < count; r++, at += dim) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let j = 0, p = at; j < whole; j += 4, p += 4) {
      s0 += data[p]! * query[j]!;
      s1 += data[p + 1]! * query[j + 1]!;
      s2 += data[p + 2]! * query[j + 2]!;
      s3 += data[p + 3]! * query[j + 3]!;
    }
    for (let j = whole; j < dim; j++) s0 += data[at + j]! * query[j]!;
    scores[r] = s0 + s1 + (s2 + s3);
  }
}

function pair(
  data: Float32Array,
  count: number,
  one: Float32Array,
  two: Float32Array,
  dim: number,
  scoresOne: Float64Array,
  scoresTwo: Float64Array,
) {
  const whole = dim - (dim % 4);
  for (let r = 0, at = 0; r < count; r++, at += dim) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let t0 = 0;
    let t1 = 0;
    let t2 = 0;
    let t3 = 0;
    for (let j = 0, p = at; j < whole; j += 4, p += 4) {
      const x0 = data[p]!;
      const x1 = data[p + 1]!;
      const x2 = data[p + 2]!;
      const x3 = data[p + 3]!;
      s0 += x0 * one[j]!;
      s1 += x1 * one[j + 1]!;
      s2 += x2 * one[j + 2]!;
      s3 += x3 * one[j + 3]!;
      t0 += x0 * two[j]!;
      t1 += x1 * two[j + 1]!;
      t2 += x2 * two[j + 2]!;
      t3 += x3 * two[j + 3]!;
    }
    for (let j = whole; j < dim; j++) {
      s0 += data[at + j]! * one[j]!;
      t0 += data[at + j]! * two[j]!;
    }
    scoresOne[r] = s0 + s1 + (s2 + s3);
    scoresTwo[r] = t0 + t1 + (t2 + t3);
  }
}
