import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { type AffineOptions, affine, checkAffine, checkNormalized } from './affine';
import { sumOverRows } from './means';
import { asVariables, type RunningStatistics, runningPair, updateRunning } from './running-statistics';
import { gradientIsRecorded, withGradient } from './with-gradient';

export interface BatchNormOptions extends AffineOptions, RunningStatistics {
  /** Normalizes by the batch's own statistics and updates the running ones. Default false. */
  training?: boolean;
  /** Weight of the new batch in the running statistics; a scalar tensor where it changes. Default 0.1. */
  momentum?: number | tf.Scalar;
  /** Added to the variance. Default 1e-5. */
  eps?: number;
}

/**
 * Standardizes each channel over the batch, then scales and shifts (Ioffe & Szegedy 2015), as
 * `torch.nn.functional.batch_norm` with the channels last.
 *
 * @param x `[batch, ..., channels]`, float32.
 * @param options.weight, options.bias `[channels]`; none by default.
 * @param options.runningMean, options.runningVar `[channels]`; needed outside training. In training they are updated
 *   in place if given, the variance with the unbiased one.
 * @returns the shape of `x`. The caller owns it. Twice differentiable.
 * @throws ArgumentError in training with one value per channel, whose variance is nothing.
 */
export function batchNorm(x: tf.Tensor, options: BatchNormOptions = {}): tf.Tensor {
  const { weight, bias, training = false, momentum = 0.1, eps = 1e-5 } = options;
  checkNormalized('batchNorm', x, eps);
  checkArgument(x.rank >= 2, 'batchNorm', 'x', '[batch, ..., channels]', x.shape);
  const channels = x.shape.at(-1)!;
  checkAffine('batchNorm', { weight, bias }, [channels]);
  const running = runningPair('batchNorm', options, channels);
  if (!training) {
    checkArgument(running, 'batchNorm', 'options.runningMean', 'running statistics, or training', running);
    return tf.tidy(() => {
      const root = tf.rsqrt(tf.add(running.variance, eps));
      const scale = weight ? tf.mul(root, weight) : root;
      const shift = tf.mul(running.mean, scale);
      return tf.add(tf.mul(x, scale), bias ? tf.sub(bias, shift) : tf.neg(shift));
    });
  }
  const rows = x.size / channels;
  checkArgument(rows > 1, 'batchNorm', 'x', 'more than one value per channel in training', x.shape);
  const update = running && asVariables('batchNorm', running);
  return tf.tidy(() => {
    const y = byBatchStatistics(tf.reshape(x, [rows, channels]), { weight, bias }, eps, (mean, variance) => {
      const unbiased = tf.mul(variance, rows / (rows - 1));
      if (update) updateRunning(update, { mean, unbiased }, momentum);
    });
    return tf.reshape(y, x.shape);
  });
}

/**
 * The training path on `[rows, channels]`. One operation with its three gradients, because they share their sums:
 * with `s₁ = Σ dy`, `s₂ = Σ dy · (x − mean)` and `r = 1 / √(variance + eps)`,
 * `dbias = s₁`, `dweight = s₂ · r`, `dx = weight · r · (dy − s₁/n − (x − mean) · s₂ · r²/n)`.
 */
function byBatchStatistics(
  x: tf.Tensor,
  { weight, bias }: AffineOptions,
  eps: number,
  onStatistics: (mean: tf.Tensor, variance: tf.Tensor) => void,
): tf.Tensor {
  const [rows, channels] = x.shape as [number, number];
  const mean = (t: tf.Tensor) => tf.mul(sumOverRows(t), 1 / rows); // (1, channels)
  const parts = (x: tf.Tensor) => {
    const average = mean(x);
    const centred = tf.sub(x, average);
    const variance = mean(tf.square(centred));
    return { average, centred, variance, root: tf.rsqrt(tf.add(variance, eps)) };
  };
  const inputs = [x, weight ?? tf.ones([channels]), bias ?? tf.zeros([channels])];
  return withGradient(inputs, () => {
    const { average, centred, variance, root } = parts(x);
    onStatistics(average, variance);
    const scale = weight ? tf.mul(root, weight) : root;
    return {
      value: affine(centred, { weight: scale, bias }),
      saved: [x, inputs[1]!, centred, root],
      gradient: (dy, [x, weight, savedCentred, savedRoot]) => {
        const { centred, root } = gradientIsRecorded()
          ? parts(x!)
          : { centred: savedCentred!, root: savedRoot! };
        const dbias = sumOverRows(dy); // (1, channels)
        const dweight = tf.mul(sumOverRows(tf.mul(dy, centred)), root); // (1, channels)
        const scale = tf.mul(root, weight!);
        const slope = tf.mul(tf.mul(dweight, root), -1 / rows);
        const offset = tf.mul(dbias, -1 / rows);
        const dx = tf.mul(tf.add(tf.add(dy, tf.mul(centred, slope)), offset), scale);
        return [dx, tf.reshape(dweight, [channels]), tf.reshape(dbias, [channels])];
      },
    };
  });
}
