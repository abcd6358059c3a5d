import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';

/**
 * `[batch, ...]` → `[batch, features]`, in PyTorch's order of features.
 *
 * Images `[batch, height, width, channels]` and signals `[batch, length, channels]` flatten channel by channel, as
 * `torch.flatten` does with `[batch, channels, height, width]`, so that the weights of a following `linear` carry
 * over from PyTorch unchanged. For sequences `[batch, seq, dim]`, whose order is the same in both, ask for
 * `channels: 'last'`.
 *
 * @returns `[batch, features]`. The caller owns it.
 */
export function flatten(
  x: tf.Tensor,
  { channels = 'first' }: { channels?: 'first' | 'last' } = {},
): tf.Tensor2D {
  checkArgument(x.rank >= 2, 'flatten', 'x', 'at least [batch, features]', x.shape);
  const batch = x.shape[0]!;
  const features = x.shape.slice(1).reduce((a, b) => a * b, 1);
  return tf.tidy(() => {
    if (x.rank === 2 || channels === 'last') return tf.reshape(x, [batch, features]);
    const spatial = Array.from({ length: x.rank - 2 }, (_, i) => i + 1);
    const channelFirst = tf.transpose(x, [0, x.rank - 1, ...spatial]); // (batch, channels, ...spatial)
    return tf.reshape(channelFirst, [batch, features]); // (batch, channels · spatial)
  });
}

/**
 * The way back: `[batch, channels · height · width]` in PyTorch's order → `[batch, height, width, channels]`.
 * `shape` is without the batch, channels last: `[7, 7, 64]`.
 */
export function unflatten(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const features = shape.reduce((a, b) => a * b, 1);
  checkArgument(shape.length >= 1, 'unflatten', 'shape', 'at least [channels]', [...shape]);
  checkArgument(x.rank === 2 && x.shape[1] === features, 'unflatten', 'x', `[batch, ${features}]`, x.shape);
  const spatial = shape.slice(0, -1);
  return tf.tidy(() => {
    const channelFirst = tf.reshape(x, [x.shape[0]!, shape.at(-1)!, ...spatial]); // (batch, channels, ...spatial)
    return tf.transpose(channelFirst, [0, ...spatial.map((_, i) => i + 2), 1]); // (batch, ...spatial, channels)
  });
}
