import * as tf from '@tensorflow/tfjs-core';
import type { KernelCompletion } from './completion';
import { type Axis, type ConvAttrs, convAxes } from './conv-geometry';
import { convInputGradient } from './input-gradient';

/** Gradient of conv2d with respect to its input; also conv2dTranspose. Filter is `[kh, kw, in, out]`. */
export function conv2dInputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, h: Axis, w: Axis): tf.Tensor4D {
  const channels = filter.shape[2];
  const back = tf.transpose(filter, [0, 1, 3, 2]); // [kh, kw, out, in]
  return convInputGradient(dy, back, h, w, channels, (x, taps, dilations) =>
    tf.conv2d(x, taps, 1, 'valid', 'NHWC', dilations),
  );
}

export const conv2dBackpropInput: KernelCompletion = {
  kernel: tf.Conv2DBackpropInput,
  run({ dy, filter }, attrs: ConvAttrs & { inputShape: number[] }) {
    const [h, w] = convAxes(attrs.inputShape, filter!.shape, attrs);
    return conv2dInputGradient(dy as tf.Tensor4D, filter as tf.Tensor4D, h, w);
  },
};
