import * as tf from '@tensorflow/tfjs-core';
import { affine, checkAffine, checkNormalized } from './affine';
import { trailing } from './layer-norm';
import { meanOfRow } from './means';
import { rootMeanSquareScaled } from './standardize';

/** Distance from 1 to the next float32: what PyTorch adds where no `eps` is given. */
const FLOAT32_EPS = 2 ** -23;

export interface RmsNormOptions {
  weight?: tf.Tensor | null;
  /** Added to the mean square. Default 2⁻²³, as PyTorch's `eps=None`. */
  eps?: number | null;
}

/**
 * Divides each sample by its root mean square over the last axes (Zhang & Sennrich 2019), as
 * `torch.nn.functional.rms_norm`.
 *
 * @param x `[..., ...normalizedShape]`, float32.
 * @param normalizedShape the last axes, or the length of the last one.
 * @param options.weight `normalizedShape`; none by default.
 * @returns the shape of `x`. The caller owns it. Twice differentiable.
 */
export function rmsNorm(
  x: tf.Tensor,
  normalizedShape: number | readonly number[],
  { weight, eps }: RmsNormOptions = {},
): tf.Tensor {
  checkNormalized('rmsNorm', x, eps ?? 0);
  const { shape, size } = trailing('rmsNorm', x, normalizedShape);
  checkAffine('rmsNorm', { weight }, shape);
  return tf.tidy(() => {
    const rows = tf.reshape(x, [x.size / size, size]); // (rows, size)
    const y = rootMeanSquareScaled(rows, meanOfRow, eps ?? FLOAT32_EPS);
    return tf.reshape(affine(y, { weight: weight && tf.reshape(weight, [size]) }), x.shape);
  });
}
