import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { type AffineOptions, affine, checkAffine, checkNormalized } from './affine';
import { meanOfRow } from './means';
import { standardize } from './standardize';

export interface LayerNormOptions extends AffineOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
}

/**
 * Standardizes each sample over its last axes, then scales and shifts (Ba et al. 2016), as
 * `torch.nn.functional.layer_norm`.
 *
 * @param x `[..., ...normalizedShape]`, float32.
 * @param normalizedShape the last axes, or the length of the last one.
 * @param options.weight, options.bias `normalizedShape`; none by default.
 * @returns the shape of `x`. The caller owns it. Twice differentiable.
 */
export function layerNorm(
  x: tf.Tensor,
  normalizedShape: number | readonly number[],
  { weight, bias, eps = 1e-5 }: LayerNormOptions = {},
): tf.Tensor {
  checkNormalized('layerNorm', x, eps);
  const { shape, size } = trailing('layerNorm', x, normalizedShape);
  checkAffine('layerNorm', { weight, bias }, shape);
  return tf.tidy(() => {
    const rows = tf.reshape(x, [x.size / size, size]); // (rows, size)
    const flat = (t?: tf.Tensor | null) => t && tf.reshape(t, [size]);
    const y = affine(standardize(rows, meanOfRow, eps), { weight: flat(weight), bias: flat(bias) });
    return tf.reshape(y, x.shape);
  });
}

/** The normalized axes, checked against those of `x`. */
export function trailing(fn: string, x: tf.Tensor, normalizedShape: number | readonly number[]) {
  const shape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
  const size = shape.reduce((product, d) => product * d, 1);
  checkArgument(shape.length > 0 && size > 0, fn, 'normalizedShape', 'lengths of the last axes', shape);
  const last = x.shape.slice(-shape.length);
  checkArgument(last.join() === shape.join(), fn, 'x', `[..., ${shape.join(', ')}]`, x.shape);
  return { shape, size };
}
