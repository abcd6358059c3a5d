import { checkArgument, type Key } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { attendInBlocks, blockOf } from './blocks';
import { checkFits, checkMeaning } from './masks';
import { attendRows, type Inputs, type Rules } from './rows';

export interface AttentionOptions {
  /**
   * Who may look at whom: bool, true where a query may attend to a key, or float32, added to the scores (0 and −∞).
   * `[queries, keys]`, or the rank of the scores with 1 where it is the same for all: `[batch, 1, 1, keys]`.
   * A constant: no gradient flows into it.
   */
  mask?: tf.Tensor | null;
  /** Added to the scores, of the same shapes as `mask`, with finite values; takes a gradient. */
  bias?: tf.Tensor | null;
  /** Only keys up to the query's own position, aligned bottom-right. Default false. */
  causal?: boolean;
  /** Factor of the scores. Default `1 / √headDim`. */
  scale?: number;
  /** Rate at which weights are dropped. Default 0. Needs a `key` if it is above 0. */
  dropout?: number;
  /** Randomness of the dropout. */
  key?: Key | null;
  /** Returns `{ output, weights }` instead of the output alone. Default false. */
  returnWeights?: boolean;
  /**
   * Queries handled at a time. In blocks, no more scores than a block's exist at once, in the gradient too, which
   * computes them again. Default: all at once, unless there are more than 2²⁵ scores. With weights on request, all.
   */
  queryBlock?: number;
}

/** A result with its weights. */
export type Attended = {
  output: tf.Tensor;
  /** `[..., queries, keys]`, before dropout; rows of masked-out queries are 0. */
  weights: tf.Tensor;
};

/** What attention gave, whether or not weights were asked for. */
export function withWeights(result: tf.Tensor | Attended): { output: tf.Tensor; weights?: tf.Tensor } {
  return result instanceof tf.Tensor ? { output: result } : result;
}

/**
 * `softmax(q·kᵀ / √headDim) · v`, equation 1 of Vaswani et al., "Attention Is All You Need" (2017).
 *
 * Heads stand before the sequence: `[batch, heads, seq, headDim]`, or `[batch, seq, dim]` for one head. Keys and values
 * may have fewer heads than queries, if their number divides: each then serves a group of neighbours (grouped-query
 * attention; with one, multi-query).
 *
 * A query that may look at no key gets 0, and gives no gradient. (`torch`'s `is_causal` is aligned top-left where the
 * lengths differ; here the last query sees all keys, as a cache needs it.)
 *
 * @param q `[batch, heads, queries, headDim]`.
 * @param k `[batch, kvHeads, keys, headDim]`.
 * @param v `[batch, kvHeads, keys, valueDim]`.
 * @returns `[batch, heads, queries, valueDim]`, or `{ output, weights }`. The caller owns it.
 * @throws ArgumentError where shapes do not fit, a sequence is empty, or a mask is no mask.
 */
export function scaledDotProductAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options: AttentionOptions & { returnWeights: true },
): Attended;
export function scaledDotProductAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options?: AttentionOptions & { returnWeights?: false },
): tf.Tensor;
export function scaledDotProductAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options?: AttentionOptions,
): tf.Tensor | Attended;
export function scaledDotProductAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  options: AttentionOptions = {},
): tf.Tensor | Attended {
  checkShapes(q, k, v);
  const rules = rulesOf(q, options);
  const scores = [...q.shape.slice(0, -1), k.shape.at(-2)!];
  const { mask = null, bias = null, returnWeights = false } = options;
  if (mask) {
    checkMeaning(FN, mask);
    checkFits(FN, 'options.mask', mask, scores);
  }
  if (bias) {
    checkArgument(bias.dtype === 'float32', FN, 'options.bias', 'float32', `type ${bias.dtype}`);
    checkFits(FN, 'options.bias', bias, scores);
  }
  const block = returnWeights ? scores.at(-2)! : blockOf(scores, options.queryBlock);
  return tf.tidy(() => {
    const headed = (x: tf.Tensor) => (x.rank === 3 ? tf.expandDims(x, 1) : x) as tf.Tensor; // (B, 1, seq, dim)
    const inputs: Inputs = {
      q: headed(q),
      k: headed(k),
      v: headed(v),
      mask: mask && headed(mask),
      bias: bias && headed(bias),
    };
    const bare = (x: tf.Tensor) => (q.rank === 3 ? tf.squeeze(x, [1]) : x);
    if (block < scores.at(-2)!) return bare(attendInBlocks(inputs, rules, block));
    const { output, weights, sees } = attendRows(inputs, rules);
    if (!returnWeights) return bare(output);
    return { output: bare(output), weights: bare(sees ? tf.mul(weights, sees) : weights) };
  });
}

const FN = 'scaledDotProductAttention';

function rulesOf(q: tf.Tensor, { causal = false, scale, dropout = 0, key = null }: AttentionOptions): Rules {
  checkArgument(dropout >= 0 && dropout < 1, FN, 'options.dropout', 'a rate in [0, 1)', dropout);
  const able = key !== null || dropout === 0;
  checkArgument(able, FN, 'options.key', `a key, for a rate of ${dropout}`, key);
  const factor = scale ?? 1 / Math.sqrt(q.shape.at(-1)!);
  checkArgument(Number.isFinite(factor), FN, 'options.scale', 'a number', scale);
  return { causal, scale: factor, dropout: dropout > 0 ? { rate: dropout, key: key! } : null };
}

function checkShapes(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): void {
  const { rank } = q;
  const layout = '[batch, seq, dim] or [batch, heads, seq, headDim]';
  checkArgument(rank === 3 || rank === 4, FN, 'q', layout, q.shape);
  for (const [name, x] of [
    ['q', q],
    ['k', k],
    ['v', v],
  ] as const) {
    checkArgument(x.dtype === 'float32', FN, name, 'type float32', `type ${x.dtype}`);
    checkArgument(x.size > 0, FN, name, 'a sequence that is not empty', x.shape);
  }
  const [batch, dim] = [q.shape[0]!, q.shape.at(-1)!];
  const keyLayout = rank === 4 ? `[${batch}, kvHeads, keys, ${dim}]` : `[${batch}, keys, ${dim}]`;
  const keysFit = k.rank === rank && k.shape[0] === batch && k.shape.at(-1) === dim;
  checkArgument(keysFit, FN, 'k', keyLayout, k.shape);
  const valueLayout = `[${[...k.shape.slice(0, -1), 'valueDim'].join(', ')}], as many as keys`;
  const leading = k.shape.slice(0, -1).join();
  checkArgument(v.rank === rank && v.shape.slice(0, -1).join() === leading, FN, 'v', valueLayout, v.shape);
  if (rank !== 4) return;
  const [heads, kvHeads] = [q.shape[1]!, k.shape[1]!];
  const divides = heads % kvHeads === 0;
  checkArgument(divides, FN, 'k', `a number of heads that divides the queries' ${heads}`, kvHeads);
}
