import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../../errors';

/** What becomes of the losses of single elements: their mean, their sum, or themselves. */
export type Reduction = 'mean' | 'sum' | 'none';

export interface ReductionOptions {
  /** Default `'mean'`. */
  reduction?: Reduction;
}

/** Applies a reduction: a scalar for `'mean'` and `'sum'`. */
export function reduce(losses: tf.Tensor, reduction: Reduction): tf.Tensor {
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? total(losses) : tf.mul(total(losses), 1 / losses.size);
}

/** Sum of all elements; in two stages where there are many, because a long float32 sum loses digits. */
export function total(x: tf.Tensor): tf.Scalar {
  if (x.size < 4096) return tf.sum(x) as tf.Scalar;
  let width = 1024;
  while (x.size % width !== 0) width--;
  return tf.sum(tf.sum(tf.reshape(x, [x.size / width, width]), 1)) as tf.Scalar;
}

export function checkReduction(fn: string, reduction: string, allowed = ['mean', 'sum', 'none']): void {
  const names = allowed.map((name) => `'${name}'`).join(' | ');
  checkArgument(allowed.includes(reduction), fn, 'options.reduction', names, reduction);
}

/** Demands equal shapes: broadcasting a target over a batch is a mistake more often than a wish. */
export function checkSameShape(fn: string, input: tf.Tensor, target: tf.Tensor, argument = 'target'): void {
  const expected = `the shape [${input.shape.join(', ')}]`;
  checkArgument(input.shape.join() === target.shape.join(), fn, argument, expected, target.shape);
}
