import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { checkGroups, conv2d } from './conv2d';

export interface Conv1dOptions {
  /** `[out]`. Default none. */
  bias?: tf.Tensor | null;
  /** Default 1. */
  stride?: number;
  /** Zeros on both sides. Default 0. `'same'` keeps the length and needs stride 1. */
  padding?: number | 'same' | 'valid';
  /** Default 1. */
  dilation?: number;
  /** Default 1. */
  groups?: number;
}

/**
 * Cross-correlation over sequences, as `torch.nn.functional.conv1d` with the channels last.
 *
 * @param x `[batch, length, in]`.
 * @param weight `[kernel, in / groups, out]`.
 * @returns `[batch, outLength, out]`. The caller owns it. Twice differentiable.
 */
export function conv1d(x: tf.Tensor, weight: tf.Tensor, options: Conv1dOptions = {}): tf.Tensor3D {
  const { bias, stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  checkArgument(weight.rank === 3, 'conv1d', 'weight', '[kernel, in / groups, out]', weight.shape);
  const [kernel, inPerGroup, out] = weight.shape as [number, number, number];
  checkGroups('conv1d', groups, inPerGroup * groups, out);
  const expected = `[batch, length, ${inPerGroup * groups}]`;
  checkArgument(x.rank === 3 && x.shape[2] === inPerGroup * groups, 'conv1d', 'x', expected, x.shape);
  const [batch, length, channels] = x.shape as [number, number, number];
  return tf.tidy(() => {
    const column = tf.reshape(x, [batch, length, 1, channels]); // (batch, length, 1, in): an image one pixel wide
    const filter = tf.reshape(weight, [kernel, 1, inPerGroup, out]); // (kernel, 1, in / groups, out)
    const y = conv2d(column, filter, {
      bias,
      stride: [stride, 1],
      padding: typeof padding === 'string' ? padding : [padding, 0],
      dilation: [dilation, 1],
      groups,
    });
    return tf.reshape(y, [batch, y.shape[1], out]); // (batch, outLength, out)
  });
}
