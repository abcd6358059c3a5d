import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { type AffineOptions, affine, checkAffine, checkNormalized } from './affine';
import { meanOfRow, meanOverPixels } from './means';
import { standardize } from './standardize';

export interface GroupNormOptions extends AffineOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
}

/**
 * Standardizes each sample over its pixels and the channels of one group, then scales and shifts each channel
 * (Wu & He 2018), as `torch.nn.functional.group_norm` with the channels last.
 *
 * @param x `[batch, ..., channels]`, float32.
 * @param groups how many; divides `channels`.
 * @param options.weight, options.bias `[channels]`; none by default.
 * @returns the shape of `x`. The caller owns it. Twice differentiable.
 */
export function groupNorm(
  x: tf.Tensor,
  groups: number,
  { weight, bias, eps = 1e-5 }: GroupNormOptions = {},
): tf.Tensor {
  checkNormalized('groupNorm', x, eps);
  checkArgument(x.rank >= 2, 'groupNorm', 'x', '[batch, ..., channels]', x.shape);
  const batch = x.shape[0]!;
  const channels = x.shape.at(-1)!;
  const divides = Number.isInteger(groups) && groups > 0 && channels % groups === 0;
  checkArgument(divides, 'groupNorm', 'groups', `a divisor of ${channels} channels`, groups);
  checkAffine('groupNorm', { weight, bias }, [channels]);
  return tf.tidy(() => {
    const pixels = tf.reshape(x, [batch, x.size / (batch * channels), channels]); // (batch, pixels, channels)
    const y = standardize(pixels, groupMean(groups, channels), eps);
    return tf.reshape(affine(y, { weight, bias }), x.shape);
  });
}

/** `[batch, pixels, channels]` → `[batch, 1, channels]`, where the channels of one group have the same mean. */
function groupMean(groups: number, channels: number): (x: tf.Tensor) => tf.Tensor {
  if (groups === channels) return meanOverPixels;
  const width = channels / groups;
  return (x) => {
    const grouped = tf.reshape(meanOverPixels(x), [x.shape[0]!, groups, width]); // (batch, groups, width)
    const spread = tf.mul(meanOfRow(grouped), tf.ones([width])); // (batch, groups, width)
    return tf.reshape(spread, [x.shape[0]!, 1, channels]); // (batch, 1, channels)
  };
}
