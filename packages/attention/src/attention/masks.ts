import { checkArgument, hostValues } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/*
 * A boolean mask says who may look at whom: true where a query may attend to a key. That is the meaning that
 * `torch.nn.functional.scaled_dot_product_attention` has; the masks of `torch.nn.MultiheadAttention` and
 * `torch.nn.Transformer` mean the opposite, and are to be inverted with `tf.logicalNot`.
 */

/** What a masked score gets: far below any score, and finite, so that no gradient becomes NaN. */
export const MASKED = -1e30;

/**
 * Keys up to the query's own position, aligned at the bottom right: the last query sees all keys. With as many keys
 * as queries that is the lower triangle; with more, the first keys are a past that every query sees.
 *
 * @param from position of the first query among the keys. Default: `keys − queries`.
 * @returns bool `[queries, keys]`. The caller owns it.
 */
export function causalMask(queries: number, keys = queries, from: number | tf.Scalar = keys - queries) {
  checkLength('causalMask', 'queries', queries);
  checkLength('causalMask', 'keys', keys);
  if (typeof from === 'number')
    checkArgument(Number.isInteger(from), 'causalMask', 'from', 'an integer', from);
  else {
    const ok = from.size === 1 && from.dtype === 'int32';
    checkArgument(ok, 'causalMask', 'from', 'an int32 scalar', `${from.dtype} [${from.shape.join(', ')}]`);
  }
  return tf.tidy(() => {
    const first = typeof from === 'number' ? tf.scalar(from, 'int32') : from;
    const own = tf.add(tf.range(0, queries, 1, 'int32'), first); // (Q): the key at the query's own position
    return tf.lessEqual(tf.range(0, keys, 1, 'int32'), tf.expandDims(own, 1)) as tf.Tensor2D; // (Q, K)
  });
}

/**
 * Where a batch of padded sequences has tokens: what `keyMask` of the attention modules takes.
 *
 * @param tokens int32 `[batch, seq]`.
 * @param pad the token that fills up. Default 0.
 * @returns bool `[batch, seq]`, true at tokens that are not padding. The caller owns it.
 */
export function paddingMask(tokens: tf.Tensor, pad = 0): tf.Tensor2D {
  const ok = tokens.rank === 2 && tokens.dtype === 'int32';
  const got = `${tokens.dtype} [${tokens.shape.join(', ')}]`;
  checkArgument(ok, 'paddingMask', 'tokens', 'int32 [batch, seq]', got);
  checkArgument(Number.isInteger(pad), 'paddingMask', 'pad', 'a token', pad);
  return tf.tidy(() => tf.notEqual(tokens, tf.scalar(pad, 'int32')) as tf.Tensor2D);
}

/**
 * The mask that demands what all of several masks demand; they broadcast against each other, and null demands nothing.
 * @returns bool, or null where nothing is demanded. The caller owns it.
 */
export function allOf(...masks: readonly (tf.Tensor | null | undefined)[]): tf.Tensor | null {
  const given = masks.filter((mask) => mask != null);
  for (const [i, mask] of given.entries()) {
    checkArgument(mask.dtype === 'bool', 'allOf', `masks[${i}]`, 'type bool', `type ${mask.dtype}`);
    const fits = broadcasts(mask.shape, given[0]!.shape);
    checkArgument(
      fits,
      'allOf',
      `masks[${i}]`,
      `a shape that broadcasts against ${show(given[0]!)}`,
      mask.shape,
    );
  }
  const [first, ...rest] = given;
  if (!first) return null;
  return tf.tidy(() => tf.clone(rest.reduce((all, mask) => tf.logicalAnd(all, mask), first)));
}

/**
 * A mask as what is added to scores: 0 and `MASKED`, or a float mask with its −∞ made finite. No gradient.
 */
export function additive(mask: tf.Tensor): tf.Tensor {
  if (mask.dtype === 'bool') return tf.mul(tf.sub(tf.cast(mask, 'float32'), 1), -MASKED);
  return tf.maximum(mask, MASKED);
}

/**
 * 1 for each query that may look at some key, 0 for one that may look at none.
 * @param bias sum of what `additive` returned, `[..., queries | 1, keys]`.
 * @returns float32 `[..., queries | 1, 1]`.
 */
export function seesAny(bias: tf.Tensor): tf.Tensor {
  return tf.cast(tf.greater(tf.max(bias, -1, true), MASKED / 2), 'float32');
}

/**
 * Demands a mask or bias that fits `scores` axis by axis, with 1 where it is the same along an axis, or one of the last
 * two axes alone. No other broadcasting: `[batch, keys]` would pass as `[queries, keys]` where the lengths agree.
 */
export function checkFits(fn: string, argument: string, mask: tf.Tensor, scores: readonly number[]): void {
  const wanted = mask.rank === 2 ? scores.slice(-2) : scores;
  const fits = mask.rank === wanted.length && mask.shape.every((n, i) => n === 1 || n === wanted[i]);
  const [batch, heads] = scores;
  const [queries, keys] = scores.slice(-2);
  const full = scores.length === 4 ? `[${batch} or 1, ${heads} or 1, ` : `[${batch} or 1, `;
  const expected = `[${queries} or 1, ${keys} or 1] or ${full}${queries} or 1, ${keys} or 1]`;
  checkArgument(fits, fn, argument, expected, mask.shape);
}

/** Demands a bool mask, or a float one that is meant to be added: 0 and 1 are a boolean mask in the wrong type. */
export function checkMeaning(fn: string, mask: tf.Tensor): void {
  const { dtype } = mask;
  const expected = 'bool (true: may attend), or float32 to be added to the scores (0, −∞)';
  checkArgument(dtype === 'bool' || dtype === 'float32', fn, 'options.mask', expected, `type ${dtype}`);
  if (dtype === 'bool') return;
  const values = hostValues(mask);
  if (!values) return;
  let ones = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== 0 && values[i] !== 1) return;
    ones += values[i]!;
  }
  checkArgument(ones === 0, fn, 'options.mask', expected, 'float32 of only 0 and 1');
}

function broadcasts(a: readonly number[], b: readonly number[]): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short.every((n, i) => {
    const m = long[long.length - short.length + i]!;
    return n === m || n === 1 || m === 1;
  });
}

function show({ shape }: tf.Tensor): string {
  return `[${shape.join(', ')}]`;
}

function checkLength(fn: string, argument: string, length: number): void {
  checkArgument(Number.isInteger(length) && length >= 1, fn, argument, 'an integer ≥ 1', length);
}
