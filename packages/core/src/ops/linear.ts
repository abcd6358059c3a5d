import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';

/**
 * `y = x · weightᵀ + bias` on the last axis.
 *
 * @param x `[..., in]`, any number of leading axes.
 * @param weight `[out, in]`, as in PyTorch.
 * @param bias `[out]`.
 * @returns `[..., out]`. The caller owns it.
 */
export function linear(x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor | null): tf.Tensor {
  checkArgument(weight.rank === 2, 'linear', 'weight', '[out, in]', weight.shape);
  const [out, dim] = weight.shape as [number, number];
  checkArgument(x.rank >= 1 && x.shape.at(-1) === dim, 'linear', 'x', `[..., ${dim}]`, x.shape);
  checkArgument(!bias || (bias.rank === 1 && bias.size === out), 'linear', 'bias', `[${out}]`, bias?.shape);
  return tf.tidy(() => {
    const rows = tf.reshape(x, [x.size / dim, dim]); // (rows, in): one matmul whatever the leading axes
    const y = tf.matMul(rows, weight as tf.Tensor2D, false, true); // (rows, out)
    return tf.reshape(bias ? tf.add(y, bias) : y, [...x.shape.slice(0, -1), out]);
  });
}
