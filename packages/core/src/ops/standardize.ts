import * as tf from '@tensorflow/tfjs-core';
import { gradientIsRecorded, withGradient } from './with-gradient';

/**
 * `x̂ = (x − mean) / √(variance + eps)`, the part that layer, group and instance normalization share.
 *
 * @param mean averages over the normalized axes and gives a shape that broadcasts back over `x`.
 *
 * The gradient in closed form, with σ the root: `(dy − mean(dy) − x̂ · mean(dy · x̂)) / σ`.
 * Differentiable as often as one likes. The caller owns the result.
 */
export function standardize(x: tf.Tensor, mean: (x: tf.Tensor) => tf.Tensor, eps: number): tf.Tensor {
  const parts = (x: tf.Tensor): [normal: tf.Tensor, scale: tf.Tensor] => {
    // Two passes: E[x²] − E[x]² would cancel where the mean is large.
    const centred = tf.sub(x, mean(x));
    const scale = tf.rsqrt(tf.add(mean(tf.square(centred)), eps));
    return [tf.mul(centred, scale), scale];
  };
  return withGradient([x], () => {
    const [normal, scale] = parts(x);
    return {
      value: normal,
      saved: [x, normal, scale],
      gradient: (dy, [x, savedNormal, savedScale]) => {
        const [normal, scale] = gradientIsRecorded() ? parts(x!) : [savedNormal!, savedScale!];
        const along = tf.mul(normal, mean(tf.mul(dy, normal)));
        return tf.mul(tf.sub(tf.sub(dy, mean(dy)), along), scale);
      },
    };
  });
}

/** `x / √(mean(x²) + eps)`: as `standardize`, without taking the mean off. */
export function rootMeanSquareScaled(
  x: tf.Tensor,
  mean: (x: tf.Tensor) => tf.Tensor,
  eps: number,
): tf.Tensor {
  const scaleOf = (x: tf.Tensor) => tf.rsqrt(tf.add(mean(tf.square(x)), eps));
  return withGradient([x], () => {
    const scale = scaleOf(x);
    return {
      value: tf.mul(x, scale),
      saved: [x, scale],
      gradient: (dy, [x, saved]) => {
        const scale = gradientIsRecorded() ? scaleOf(x!) : saved!;
        const along = tf.mul(mean(tf.mul(dy, x!)), tf.square(scale));
        return tf.mul(tf.sub(dy, tf.mul(x!, along)), scale);
      },
    };
  });
}
