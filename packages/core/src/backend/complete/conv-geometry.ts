import * as tf from '@tensorflow/tfjs-core';
import { explicitPad } from './padding';

/** One spatial axis of a convolution. */
export interface Axis {
  /** Input size, output size, filter size. */
  input: number;
  output: number;
  filter: number;
  stride: number;
  dilation: number;
  /** Padding before the first input element. */
  before: number;
}

export interface ConvAttrs {
  strides: number | [number, number];
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  dilations?: number | [number, number];
  dataFormat?: 'NHWC' | 'NCHW';
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** The two spatial axes of an NHWC convolution, from tfjs's attributes. */
export function convAxes(
  inputShape: number[],
  filterShape: number[],
  { strides, pad, dilations = 1, dataFormat = 'NHWC', dimRoundingMode }: ConvAttrs,
  depthwise = false,
): [h: Axis, w: Axis] {
  if (dataFormat !== 'NHWC')
    throw new Error(`convolution gradients are completed for NHWC only, got ${dataFormat}`);
  const info = tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    dilations,
    explicitPad(pad),
    dimRoundingMode,
    depthwise,
  );
  const h: Axis = {
    input: info.inHeight,
    output: info.outHeight,
    filter: info.filterHeight,
    stride: info.strideHeight,
    dilation: info.dilationHeight,
    before: info.padInfo.top,
  };
  const w: Axis = {
    input: info.inWidth,
    output: info.outWidth,
    filter: info.filterWidth,
    stride: info.strideWidth,
    dilation: info.dilationWidth,
    before: info.padInfo.left,
  };
  return [h, w];
}

/** Pads (positive) or crops (negative) both ends of the two spatial axes of `[batch, height, width, channels]`. */
export function padOrCrop(x: tf.Tensor4D, h: [number, number], w: [number, number]): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const crop = (n: number) => Math.max(0, -n);
  const grow = (n: number) => Math.max(0, n);
  let y = x;
  if (crop(h[0]) || crop(h[1]) || crop(w[0]) || crop(w[1])) {
    y = tf.slice4d(
      y,
      [0, crop(h[0]), crop(w[0]), 0],
      [batch, height - crop(h[0]) - crop(h[1]), width - crop(w[0]) - crop(w[1]), channels],
    );
  }
  if (grow(h[0]) || grow(h[1]) || grow(w[0]) || grow(w[1])) {
    y = tf.pad4d(y, [
      [0, 0],
      [grow(h[0]), grow(h[1])],
      [grow(w[0]), grow(w[1])],
      [0, 0],
    ]);
  }
  return y;
}
