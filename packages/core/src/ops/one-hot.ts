import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, checkArgument } from '../errors';
import { hostValues } from './host-values';

/**
 * Rows that are 1 at the class and 0 elsewhere.
 *
 * A class outside `[0, classes)` is an `ArgumentError` on the backends cpu and wasm, where looking costs nothing; on
 * others its row is all 0.
 *
 * @param indices int32, any shape.
 * @param classes length of the new last axis.
 * @param dtype float32 by default (PyTorch's gives integers).
 * @returns `[...indices, classes]`. The caller owns it.
 */
export function oneHot(
  indices: tf.Tensor,
  classes: number,
  dtype: 'float32' | 'int32' = 'float32',
): tf.Tensor {
  checkArgument(indices.dtype === 'int32', 'oneHot', 'indices', 'a tensor of type int32', indices.dtype);
  checkArgument(Number.isInteger(classes) && classes > 0, 'oneHot', 'classes', 'an integer > 0', classes);
  checkClasses('oneHot', 'indices', indices, classes);
  return tf.oneHot(indices, classes, 1, 0, dtype);
}

/** Throws for a class outside `[0, classes)` other than `except`, if that can be seen. Whether it could is returned. */
export function checkClasses(
  fn: string,
  argument: string,
  indices: tf.Tensor,
  classes: number,
  except?: number,
): { seen: boolean; exceptions: number } {
  const values = hostValues(indices);
  let exceptions = 0;
  for (let i = 0; i < (values?.length ?? 0); i++) {
    const value = values![i]!;
    if (value === except) exceptions++;
    else if (value < 0 || value >= classes) {
      const expected = `a class in [0, ${classes})`;
      throw new ArgumentError({ fn, argument: `${argument}[${i}]`, expected, received: value });
    }
  }
  return { seen: values !== null, exceptions };
}
