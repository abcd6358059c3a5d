import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../../errors';
import { checkClasses } from '../one-hot';
import { type ReductionOptions, reduce, total } from './reduce';

export interface ClassLossOptions extends ReductionOptions {
  /** `[classes]`: factor of each class's loss. The mean divides by the sum of the factors that were used. */
  weight?: tf.Tensor | null;
  /** Targets of this value count for nothing, neither in the sum nor in the mean's divisor. Default −100. */
  ignoreIndex?: number;
}

/** Targets as classes, ready for use on a device. */
interface ClassTargets {
  /** int32 `[rows]`, all in range: ignored ones are 0 here. */
  index: tf.Tensor1D;
  /** bool `[rows]`: which count. `null`: all. */
  counted: tf.Tensor1D | null;
  /** float32 `[rows]`: 1, or NaN for a class that neither exists nor is ignored. `null`: there is none. */
  valid: tf.Tensor1D | null;
}

/**
 * Checks int32 targets and makes them safe to index with.
 *
 * On cpu and wasm a class outside `[0, classes)` is an `ArgumentError` that names its place. Elsewhere reading the
 * targets back would stall every step, so a wrong one turns its own loss, and with it the mean, into NaN.
 */
export function classTargets(
  fn: string,
  targets: tf.Tensor,
  classes: number,
  ignoreIndex: number,
): ClassTargets {
  const t = tf.reshape(targets, [targets.size]) as tf.Tensor1D; // (rows)
  const { seen, exceptions } = checkClasses(fn, 'targets', t, classes, ignoreIndex);
  if (seen && exceptions === 0) return { index: t, counted: null, valid: null };
  const counted = tf.notEqual(t, tf.scalar(ignoreIndex, 'int32')) as tf.Tensor1D;
  const exists = tf.logicalAnd(
    tf.greaterEqual(t, tf.scalar(0, 'int32')),
    tf.less(t, tf.scalar(classes, 'int32')),
  );
  const index = tf.mul(t, tf.cast(exists, 'int32')) as tf.Tensor1D;
  if (seen) return { index, counted, valid: null };
  const fine = tf.cast(tf.logicalOr(exists, tf.logicalNot(counted)), 'float32');
  return { index, counted, valid: tf.div(fine, fine) as tf.Tensor1D }; // 0 / 0 is NaN
}

/** `x[i, index[i]]` for each row: `[rows, classes]` → `[rows]`. */
export function pick(x: tf.Tensor, index: tf.Tensor1D): tf.Tensor1D {
  const [rows, classes] = x.shape as [number, number];
  // One gather from the flat array: wasm's gather along axis 1 with batchDims 1 reads the wrong rows.
  const starts = tf.range(0, rows * classes, classes, 'int32');
  return tf.gather(tf.reshape(x, [x.size]), tf.add(starts, index));
}

/** Reduces losses per row, without those that do not count. `weights` are the class weights of the rows. */
export function reduceRows(
  losses: tf.Tensor,
  { counted, valid }: ClassTargets,
  weights: tf.Tensor | null,
  reduction: NonNullable<ReductionOptions['reduction']>,
): tf.Tensor {
  const checked = valid ? tf.mul(losses, valid) : losses;
  // A choice, not a product: the loss of an ignored row may be infinite.
  const chosen = counted ? tf.where(counted, checked, tf.zerosLike(checked)) : checked;
  if (reduction !== 'mean' || (!counted && !weights)) return reduce(chosen, reduction);
  const shares = counted ? tf.cast(counted, 'float32') : null;
  const divisor = weights && shares ? tf.mul(weights, shares) : (weights ?? shares!);
  return tf.div(total(chosen), total(divisor));
}

/** Checks `weight` and `ignoreIndex`. */
export function checkClassOptions(
  fn: string,
  { weight, ignoreIndex }: ClassLossOptions,
  classes: number,
): void {
  const fits = !weight || (weight.rank === 1 && weight.size === classes);
  checkArgument(fits, fn, 'options.weight', `[${classes}]`, weight?.shape);
  const ok = ignoreIndex === undefined || Number.isInteger(ignoreIndex);
  checkArgument(ok, fn, 'options.ignoreIndex', 'an integer', ignoreIndex);
}
