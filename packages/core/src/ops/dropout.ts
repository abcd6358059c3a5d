import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { dropoutMask, type Key } from '../random';

export interface DropoutOptions {
  /** Randomness of this call: the same key drops the same elements. Needed in training with a rate above 0. */
  key?: Key | null;
  /** Default true; otherwise nothing is dropped. */
  training?: boolean;
}

/**
 * Sets elements to zero with probability `rate` and scales the others by `1 / (1 − rate)` (Srivastava et al. 2014).
 *
 * @param x any shape, float32.
 * @param rate in [0, 1]. Default 0.5.
 * @returns the shape of `x`. The caller owns it.
 * @throws ArgumentError in training with a rate above 0 and no key: there is no hidden global randomness.
 */
export function dropout<R extends tf.Rank>(
  x: tf.Tensor<R>,
  rate = 0.5,
  { key, training = true }: DropoutOptions = {},
): tf.Tensor<R> {
  checkRate('dropout', 'rate', rate);
  if (!training || rate === 0) return tf.clone(x);
  checkArgument(key, 'dropout', 'options.key', `a key, for a rate of ${rate} in training`, key);
  if (rate === 1) return tf.zerosLike(x);
  return tf.tidy(() => tf.mul(x, dropoutMask(key, rate, x.shape)));
}

export function checkRate(fn: string, argument: string, rate: number): void {
  checkArgument(rate >= 0 && rate <= 1, fn, argument, 'a probability', rate);
}
