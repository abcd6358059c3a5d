import { checkArgument } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Place } from './positions';

/**
 * Adds to each token the row of its position: `x[b, s] + table[s]`, or `x[b, s] + table[at[s]]`.
 *
 * A table of `[maxLength, 1, dim]`, as it circulates, is for `[seq, batch, dim]`: added to `[batch, seq, dim]` it
 * broadcasts in silence, and gives every token of a row the same code. Here it is an error.
 *
 * @param x `[batch, seq, dim]`.
 * @param table `[maxLength, dim]`.
 * @returns the shape of `x`. The caller owns it.
 * @throws ArgumentError for a table of another shape, and for a sequence that is longer than it.
 */
export function addPositions(x: tf.Tensor, table: tf.Tensor, { at }: Place = {}): tf.Tensor {
  const fn = 'addPositions';
  checkArgument(x.rank === 3, fn, 'x', '[batch, seq, dim]', x.shape);
  const [, seq, dim] = x.shape as [number, number, number];
  checkArgument(table.rank === 2 && table.shape[1] === dim, fn, 'table', `[maxLength, ${dim}]`, table.shape);
  checkLength(fn, seq, table.shape[0]!, at);
  return tf.tidy(() => tf.add(x, at ? tf.gather(table, at) : tf.slice(table, [0, 0], [seq, dim])));
}

/** Demands that there is a position for each token; those of `at` cannot be seen here. */
export function checkLength(fn: string, seq: number, maxLength: number, at?: tf.Tensor1D | null): void {
  if (at) checkArgument(at.rank === 1 && at.size === seq, fn, 'place.at', `[${seq}]`, at.shape);
  else checkArgument(seq <= maxLength, fn, 'x', `at most ${maxLength} positions`, `a sequence of ${seq}`);
}
