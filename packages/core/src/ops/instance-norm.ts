import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { type AffineOptions, affine, checkAffine, checkNormalized } from './affine';
import { batchNorm } from './batch-norm';
import { meanOverPixels } from './means';
import { asVariables, type RunningStatistics, runningPair, updateRunning } from './running-statistics';
import { standardize } from './standardize';

export interface InstanceNormOptions extends AffineOptions, RunningStatistics {
  /** Normalizes by each sample's own statistics, and updates the running ones if given. Default true. */
  useInputStats?: boolean;
  /** Weight of the new batch in the running statistics. Default 0.1. */
  momentum?: number;
  /** Added to the variance. Default 1e-5. */
  eps?: number;
}

/**
 * Standardizes each channel of each sample over its pixels (Ulyanov et al. 2016), as
 * `torch.nn.functional.instance_norm` with the channels last.
 *
 * @param x `[batch, ..., channels]`, float32.
 * @param options.weight, options.bias `[channels]`; none by default.
 * @param options.runningMean, options.runningVar `[channels]`: averages over batches of the samples' mean statistics;
 *   needed where `useInputStats` is false.
 * @returns the shape of `x`. The caller owns it. Twice differentiable.
 * @throws ArgumentError for one pixel, whose variance is nothing, where the input's statistics are used.
 */
export function instanceNorm(x: tf.Tensor, options: InstanceNormOptions = {}): tf.Tensor {
  const { weight, bias, useInputStats = true, momentum = 0.1, eps = 1e-5 } = options;
  checkNormalized('instanceNorm', x, eps);
  checkArgument(x.rank >= 3, 'instanceNorm', 'x', '[batch, ..., channels]', x.shape);
  const [batch, channels] = [x.shape[0]!, x.shape.at(-1)!];
  checkAffine('instanceNorm', { weight, bias }, [channels]);
  const running = runningPair('instanceNorm', options, channels);
  if (!useInputStats) {
    checkArgument(running, 'instanceNorm', 'options.runningMean', 'running statistics', running);
    return batchNorm(x, { ...options, training: false });
  }
  const count = x.size / (batch * channels);
  checkArgument(count > 1, 'instanceNorm', 'x', 'more than one pixel', x.shape);
  return tf.tidy(() => {
    const pixels = tf.reshape(x, [batch, count, channels]); // (batch, pixels, channels)
    if (running) {
      // Beside the normalization rather than out of it: rarely wanted, and the common path stays one operation.
      const mean = meanOverPixels(pixels); // (batch, 1, channels)
      const variance = meanOverPixels(tf.square(tf.sub(pixels, mean)));
      const unbiased = tf.mul(tf.mean(variance, 0), count / (count - 1));
      updateRunning(asVariables('instanceNorm', running), { mean: tf.mean(mean, 0), unbiased }, momentum);
    }
    return tf.reshape(affine(standardize(pixels, meanOverPixels, eps), { weight, bias }), x.shape);
  });
}
