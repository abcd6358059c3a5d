import { checkArgument, hostValues } from '@poiesis/core';
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

/** Demands that there is a position for each token; those of `at` are checked where they can be seen without waiting. */
export function checkLength(fn: string, seq: number, maxLength: number, at?: tf.Tensor1D | null): void {
  if (!at) {
    checkArgument(seq <= maxLength, fn, 'x', `at most ${maxLength} positions`, `a sequence of ${seq}`);
    return;
  }
  const fits = at.rank === 1 && at.size === seq && at.dtype === 'int32';
  checkArgument(fits, fn, 'place.at', `int32 [${seq}]`, `${at.dtype} [${at.shape.join(', ')}]`);
  for (const place of Array.from(hostValues(at) ?? [])) {
    const inside = place >= 0 && place < maxLength;
    checkArgument(inside, fn, 'place.at', `positions in [0, ${maxLength})`, place);
  }
}

/** Demands that all positions that there can be are among a scheme's. */
export function checkPlaces(fn: string, length: number, maxLength: number): void {
  checkArgument(length <= maxLength, fn, 'place.length', `at most ${maxLength}`, length);
}
