import { dropoutMask, type Key, softmax } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { additive, causalMask, seesAny } from './masks';

/** Checked inputs, all of rank 4, but a mask or bias of `[queries, keys]`. */
export interface Inputs {
  q: tf.Tensor;
  k: tf.Tensor;
  v: tf.Tensor;
  mask: tf.Tensor | null;
  bias: tf.Tensor | null;
}

export interface Rules {
  causal: boolean;
  scale: number;
  dropout: { rate: number; key: Key } | null;
}

/** Which queries, of how many. */
export interface Range {
  from: number;
  count: number;
  of: number;
}

/** Weights of some queries, and what else their gradient needs. */
export interface Weighing {
  /** `[batch, heads, queries, keys]`, before dropout, and also in rows that see nothing. */
  weights: tf.Tensor;
  /** Factors of the weights by dropout, if there is any. */
  drop: tf.Tensor | null;
  /** 1 for rows that see any key, 0 for others; null where all do. */
  sees: tf.Tensor | null;
}

/** Attention of the queries in `range`; `q` holds only these, `mask` and `bias` those of all queries. */
export function weigh(inputs: Inputs, rules: Rules, range: Range): Weighing {
  const { k, bias } = inputs;
  const keys = k.shape[2]!;
  const q = tf.mul(inputs.q, rules.scale); // before the product: fewer numbers than there are scores
  let scores = perKeyHead(q, k, (queries, k) => tf.matMul(queries, k, false, true));
  if (bias) scores = tf.add(scores, ofRange(bias, range));
  const mask = inputs.mask && additive(ofRange(inputs.mask, range));
  // The first query of all stands at key `keys − queries`.
  const causal = rules.causal ? additive(causalMask(range.count, keys, keys - range.of + range.from)) : null;
  const hidden = mask && causal ? tf.add(mask, causal) : (mask ?? causal);
  if (hidden) scores = tf.add(scores, hidden);
  // Without a mask, causal attention hides all keys only from queries before the first key.
  const sees = hidden && (mask || range.of > keys) ? seesAny(hidden) : null;
  const weights = softmax(scores);
  const { dropout } = rules;
  return { weights, drop: dropout && dropoutMask(dropout.key, dropout.rate, weights.shape), sees };
}

/** `weights · v` with dropout, and 0 for rows that see nothing. */
export function gather({ weights, drop, sees }: Weighing, v: tf.Tensor): tf.Tensor {
  const output = perKeyHead(drop ? tf.mul(weights, drop) : weights, v, (w, v) => tf.matMul(w, v));
  return sees ? tf.mul(output, sees) : output;
}

export function attendRows(inputs: Inputs, rules: Rules): Weighing & { output: tf.Tensor } {
  const queries = inputs.q.shape[2]!;
  const weighing = weigh(inputs, rules, { from: 0, count: queries, of: queries });
  return { ...weighing, output: gather(weighing, inputs.v) };
}

/**
 * A product of each query head with the key head that serves it. The heads of a group are neighbours, so that a group
 * is one matrix of all their rows, and keys are not repeated.
 */
export function perKeyHead(
  x: tf.Tensor,
  y: tf.Tensor,
  product: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  const [batch, heads, rows] = x.shape as [number, number, number];
  const kvHeads = y.shape[1]!;
  if (heads === kvHeads) return product(x, y);
  const z = product(grouped(x, kvHeads), y); // (B, kvHeads, group · rows, n)
  return tf.reshape(z, [batch, heads, rows, z.shape[3]!]);
}

/** `[batch, heads, rows, n]` → `[batch, kvHeads, group · rows, n]`. */
export function grouped(x: tf.Tensor, kvHeads: number): tf.Tensor {
  const [batch, heads, rows, n] = x.shape as [number, number, number, number];
  return heads === kvHeads ? x : tf.reshape(x, [batch, kvHeads, (heads / kvHeads) * rows, n]);
}

/** The rows of a mask or bias that belong to some queries. */
export function ofRange(mask: tf.Tensor, { from, count, of }: Range): tf.Tensor {
  const axis = mask.rank - 2;
  if (mask.shape[axis] === 1 || count === of) return mask;
  const begin = mask.shape.map((_, i) => (i === axis ? from : 0));
  const size = mask.shape.map((n, i) => (i === axis ? count : n));
  return tf.slice(mask, begin, size);
}
