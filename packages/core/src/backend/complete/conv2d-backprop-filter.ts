import * as tf from '@tensorflow/tfjs-core';
import type { KernelCompletion } from './completion';
import { type Axis, type ConvAttrs, convAxes } from './conv-geometry';

/**
 * Gradient of conv2d with respect to its filter, as a convolution.
 *
 * dw[k, ci, co] = Σ_{b, o} x[b, s·o + d·k − p, ci] · dy[b, o, co]: a convolution whose image is x with batch and
 * channels swapped, whose filter is dy, in which k walks (stride d) and o is the tap (dilation s). All arithmetic
 * runs in the backend's convolution, and no patch matrix is written.
 */
export function convFilterGradient(x: tf.Tensor4D, dy: tf.Tensor4D, h: Axis, w: Axis): tf.Tensor4D {
  const image = swapBatchAndChannels(crop(x, h, w)); // [ci, ih, iw, batch]
  const filter = tf.transpose(dy, [1, 2, 0, 3]); // [oh, ow, batch, co]
  const dw = tf.conv2d(
    image,
    filter,
    [h.dilation, w.dilation],
    [
      [0, 0],
      [h.before, Math.max(0, after(h))],
      [w.before, Math.max(0, after(w))],
      [0, 0],
    ],
    'NHWC',
    [h.stride, w.stride],
  ); // [ci, kh, kw, co]
  return tf.transpose(dw, [1, 2, 0, 3]);
}

// Padding behind the last element with which the swapped convolution has exactly `filter` outputs. It is negative
// where the forward pass never reached the last elements.
function after({ input, output, filter, stride, dilation, before }: Axis): number {
  return (output - 1) * stride + (filter - 1) * dilation + 1 - input - before;
}

function crop(x: tf.Tensor4D, h: Axis, w: Axis): tf.Tensor4D {
  const [dh, dw] = [Math.max(0, -after(h)), Math.max(0, -after(w))];
  if (dh === 0 && dw === 0) return x;
  const [batch, height, width, channels] = x.shape;
  return tf.slice4d(x, [0, 0, 0, 0], [batch, height - dh, width - dw, channels]);
}

/** `[batch, h, w, channels]` → `[channels, h, w, batch]`, in two steps that backends have fast paths for. */
function swapBatchAndChannels(x: tf.Tensor4D): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const columns = tf.transpose(tf.reshape(x, [batch, height * width * channels])); // (h·w·channels, batch)
  const swapped = tf.transpose(tf.reshape(columns, [height * width, channels, batch]), [1, 0, 2]);
  return tf.reshape(swapped, [channels, height, width, batch]);
}

export const conv2dBackpropFilter: KernelCompletion = {
  kernel: tf.Conv2DBackpropFilter,
  run({ x, dy }, attrs: ConvAttrs & { filterShape: number[] }) {
    const [h, w] = convAxes(x!.shape, attrs.filterShape, attrs);
    return convFilterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, h, w);
  },
};
