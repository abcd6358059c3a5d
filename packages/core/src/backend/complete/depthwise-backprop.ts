import * as tf from '@tensorflow/tfjs-core';
import type { KernelCompletion } from './completion';
import { type Axis, type ConvAttrs, convAxes, padOrCrop } from './conv-geometry';
import { convInputGradient } from './input-gradient';

/**
 * Gradient of a depthwise convolution with respect to its input.
 *
 * Filter `[kh, kw, c, m]`: channel c feeds m outputs. Backwards each of the c·m outputs is one depthwise channel, and
 * the m of them that came from the same channel add up.
 */
export function depthwiseInputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, h: Axis, w: Axis): tf.Tensor4D {
  const [kh, kw, c, m] = filter.shape;
  const back: tf.Tensor4D = tf.reshape(filter, [kh, kw, c * m, 1]);
  const dx = convInputGradient(dy, back, h, w, c * m, (x, taps, dilations) =>
    tf.depthwiseConv2d(x, taps, 1, 'valid', 'NHWC', dilations),
  );
  if (m === 1) return dx;
  const [batch, height, width] = dx.shape;
  return tf.reshape(tf.sum(tf.reshape(dx, [-1, m]), 1), [batch, height, width, c]);
}

/** Gradient with respect to the filter: for each tap the product of dy with the inputs that the tap saw, summed. */
export function depthwiseFilterGradient(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  multiplier: number,
  h: Axis,
  w: Axis,
): tf.Tensor4D {
  const [batch, , , c] = x.shape;
  const rows = batch * h.output * w.output;
  const needed = ({ output, stride, filter, dilation }: Axis) =>
    (output - 1) * stride + (filter - 1) * dilation + 1;
  const padded = padOrCrop(
    x,
    [h.before, needed(h) - h.before - h.input],
    [w.before, needed(w) - w.before - w.input],
  );
  const dy3 = tf.reshape(dy, [rows, c, multiplier]);
  const taps: tf.Tensor[] = [];
  for (let i = 0; i < h.filter; i++) {
    for (let j = 0; j < w.filter; j++) {
      const from = [0, i * h.dilation, j * w.dilation, 0];
      const to = [
        batch,
        from[1]! + (h.output - 1) * h.stride + 1,
        from[2]! + (w.output - 1) * w.stride + 1,
        c,
      ];
      // One tap's products at a time: each is as large as dy.
      const tap = tf.tidy(() => {
        const seen = tf.stridedSlice(padded, from, to, [1, h.stride, w.stride, 1]); // [batch, oh, ow, c]
        return tf.sum(tf.mul(tf.reshape(seen, [rows, c, 1]), dy3), 0); // [c, m]
      });
      taps.push(tap);
    }
  }
  return tf.reshape(tf.stack(taps), [h.filter, w.filter, c, multiplier]);
}

export const depthwiseBackpropInput: KernelCompletion = {
  kernel: tf.DepthwiseConv2dNativeBackpropInput,
  run({ dy, filter }, attrs: ConvAttrs & { inputShape: number[] }) {
    const [h, w] = convAxes(attrs.inputShape, filter!.shape, attrs, true);
    return depthwiseInputGradient(dy as tf.Tensor4D, filter as tf.Tensor4D, h, w);
  },
};

export const depthwiseBackpropFilter: KernelCompletion = {
  kernel: tf.DepthwiseConv2dNativeBackpropFilter,
  run({ x, dy }, attrs: ConvAttrs & { filterShape: number[] }) {
    const [h, w] = convAxes(x!.shape, attrs.filterShape, attrs, true);
    return depthwiseFilterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, attrs.filterShape[3]!, h, w);
  },
};
