import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';

/** Scale and shift that follow a normalization; either may be missing. */
export interface AffineOptions {
  weight?: tf.Tensor | null;
  bias?: tf.Tensor | null;
}

/** `x · weight + bias`, both of the last axis' length. */
export function affine(x: tf.Tensor, { weight, bias }: AffineOptions): tf.Tensor {
  const scaled = weight ? tf.mul(x, weight) : x;
  return bias ? tf.add(scaled, bias) : scaled;
}

/** Checks the shapes of weight and bias. */
export function checkAffine(fn: string, { weight, bias }: AffineOptions, shape: readonly number[]): void {
  const expected = `[${shape.join(', ')}]`;
  for (const [name, t] of Object.entries({ weight, bias })) {
    checkArgument(!t || t.shape.join() === shape.join(), fn, `options.${name}`, expected, t?.shape);
  }
}

/** Checks that `x` is float32 and the options' eps a number ≥ 0. */
export function checkNormalized(fn: string, x: tf.Tensor, eps: number): void {
  checkArgument(x.dtype === 'float32', fn, 'x', 'a tensor of type float32', x.dtype);
  checkArgument(eps >= 0, fn, 'options.eps', 'a number ≥ 0', eps);
}
