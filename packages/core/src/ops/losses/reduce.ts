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

/** Sum of all elements, in stages: a long chain of float32 additions loses digits (2e-5 in a million on wasm). */
export function total(x: tf.Tensor): tf.Scalar {
  let partial = x;
  while (partial.size > 1024) {
    let width = 128;
    while (partial.size % width !== 0) width--;
    if (width < 8) break;
    partial = tf.sum(tf.reshape(partial, [partial.size / width, width]), 1);
  }
  return tf.sum(partial) as tf.Scalar;
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
