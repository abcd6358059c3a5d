import { checkArgument } from '@poiesis/core';
import type * as tf from '@tensorflow/tfjs-core';

/** Demands `[batch, seq, dim]` with at least one token. */
export function checkSequence(fn: string, argument: string, x: tf.Tensor, dim: number): void {
  const fits = x.rank === 3 && x.shape[2] === dim;
  checkArgument(fits, fn, argument, `[batch, seq, ${dim}]`, x.shape);
  checkArgument(x.size > 0, fn, argument, `[batch, seq, ${dim}] with at least one token`, x.shape);
}
