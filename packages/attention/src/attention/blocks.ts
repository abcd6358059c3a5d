import { checkArgument } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { gather, grouped, type Inputs, perKeyHead, type Range, type Rules, weigh } from './rows';

/** Scores above which queries go in blocks: 128 MB of them. */
const MOST_SCORES = 2 ** 25;

/** How many queries go at a time. */
export function blockOf(scores: readonly number[], asked: number | undefined): number {
  const queries = scores.at(-2)!;
  if (asked !== undefined) {
    const ok = Number.isInteger(asked) && asked >= 1;
    checkArgument(ok, 'scaledDotProductAttention', 'options.queryBlock', 'an integer ≥ 1', asked);
    return Math.min(asked, queries);
  }
  const perQuery = scores.reduce((product, n) => product * n, 1) / queries;
  return Math.min(queries, Math.max(16, Math.floor(MOST_SCORES / perQuery)));
}

/**
 * Attention, a block of queries at a time. Only the inputs are kept for the gradient, which weighs each block again
 * (Rabe and Staats, "Self-attention Does Not Need O(n²) Memory", 2021, section 3). Differentiable again.
 */
export function attendInBlocks(inputs: Inputs, rules: Rules, block: number): tf.Tensor {
  const { q, k, v, mask, bias } = inputs;
  const queries = q.shape[2]!;
  const ranges: Range[] = [];
  for (let from = 0; from < queries; from += block) {
    ranges.push({ from, count: Math.min(block, queries - from), of: queries });
  }
  const attend = tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [q, k, v, bias = null] = args as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor?];
    save(mask ? [...(args as tf.Tensor[]), mask] : (args as tf.Tensor[]));
    const parts = ranges.map((range, i) =>
      tf.tidy(() => gather(weigh({ q: rowsOf(q, range), k, v, mask, bias }, ruled(rules, i), range), v)),
    );
    return {
      value: tf.concat(parts, 2),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [q, k, v] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
        const all: Inputs = { q, k, v, bias: bias && saved[3]!, mask: mask && saved.at(-1)! };
        return tf.tidy(() => gradients(all, rules, ranges, dy as tf.Tensor));
      },
    };
  });
  return attend(...[q, k, v, ...(bias ? [bias] : [])]) as tf.Tensor;
}

/** Gradients of all inputs, in the order of the inputs. */
function gradients(inputs: Inputs, rules: Rules, ranges: readonly Range[], dy: tf.Tensor): tf.Tensor[] {
  const { k, v, bias } = inputs;
  const perRow = bias !== null && bias.shape.at(-2) !== 1; // else one row serves all queries
  const parts: tf.Tensor[] = [];
  const biasParts: tf.Tensor[] = [];
  let sums = [tf.zerosLike(k), tf.zerosLike(v), ...(bias && !perRow ? [tf.zerosLike(bias)] : [])];
  ranges.forEach((range, i) => {
    const [dq, dBias, ...next] = tf.tidy(() => {
      const part = { ...inputs, q: rowsOf(inputs.q, range) };
      const { dq, dk, dv, dBias } = slopesOf(part, ruled(rules, i), range, rowsOf(dy, range));
      const added = [dk, dv, ...(dBias && !perRow ? [dBias] : [])];
      return [dq, dBias ?? tf.scalar(0), ...added.map((d, j) => tf.add(sums[j]!, d))];
    });
    tf.dispose(sums);
    sums = next;
    parts.push(dq!);
    if (perRow) biasParts.push(dBias!);
    else dBias!.dispose();
  });
  return [tf.concat(parts, 2), ...sums, ...(perRow ? [tf.concat(biasParts, bias.rank - 2)] : [])];
}

interface Slopes {
  dq: tf.Tensor;
  dk: tf.Tensor;
  dv: tf.Tensor;
  dBias: tf.Tensor | null;
}

function slopesOf(inputs: Inputs, rules: Rules, range: Range, slope: tf.Tensor): Slopes {
  const { q, k, v, bias } = inputs;
  const kvHeads = k.shape[1]!;
  const { weights, drop, sees } = weigh(inputs, rules, range);
  const dy = sees ? tf.mul(slope, sees) : slope;
  const kept = drop ? tf.mul(weights, drop) : weights;
  const dv = tf.matMul(grouped(kept, kvHeads), grouped(dy, kvHeads), true) as tf.Tensor;
  const reaching = perKeyHead(dy, v, (dy, v) => tf.matMul(dy, v, false, true));
  const dWeights = drop ? tf.mul(reaching, drop) : reaching;
  // Through the softmax: p · (dp − Σ p dp).
  const along = tf.sum(tf.mul(weights, dWeights), -1, true);
  const dScores = tf.mul(weights, tf.sub(dWeights, along)); // (B, heads, rows, keys)
  const scaled = tf.mul(dScores, rules.scale);
  return {
    dq: perKeyHead(scaled, k, (s, k) => tf.matMul(s, k)),
    dk: tf.matMul(grouped(scaled, kvHeads), grouped(q, kvHeads), true),
    dv,
    dBias: bias && summedTo(dScores, ofShape(bias.shape, range)),
  };
}

/** Shape of the part of a bias that belongs to a range of queries. */
function ofShape(bias: readonly number[], { count }: Range): number[] {
  return bias.map((n, i) => (i === bias.length - 2 && n !== 1 ? count : n));
}

/** Sums over the axes along which a smaller tensor was repeated. */
function summedTo(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const missing = x.rank - shape.length;
  const axes = x.shape.flatMap((n, i) => (i < missing || (shape[i - missing] === 1 && n !== 1) ? [i] : []));
  return axes.length > 0 ? tf.reshape(tf.sum(x, axes), [...shape]) : x;
}

function rowsOf(x: tf.Tensor, { from, count }: Range): tf.Tensor {
  const [batch, heads, , dim] = x.shape as [number, number, number, number];
  return tf.slice(x, [0, 0, from, 0], [batch, heads, count, dim]);
}

/** Each block drops by draws of its own. */
function ruled(rules: Rules, block: number): Rules {
  const { dropout } = rules;
  return dropout ? { ...rules, dropout: { ...dropout, key: dropout.key.fold(block) } } : rules;
}
