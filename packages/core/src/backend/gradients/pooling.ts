import * as tf from '@tensorflow/tfjs-core';
import { explicitPad } from '../complete/padding';
import { type Gradient, kernel, zero } from './config';

interface PoolAttrs {
  filterSize: number | [number, number];
  strides: number | [number, number];
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/**
 * The average counts only the elements inside the image, but the gradient kernels divide by the whole window. So dy is
 * scaled beforehand by window / elements inside, which is 1 wherever there is no padding.
 */
const avgPool: Gradient = {
  kernelName: tf.AvgPool,
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs: PoolAttrs) => ({
    x: () => {
      const shares = insideShares(x as tf.Tensor4D, attrs);
      const scaled = shares ? tf.mul(dy, shares) : dy;
      return kernel(tf.AvgPoolGrad, { dy: scaled, input: x! }, attrs);
    },
  }),
};

/** `[1, oh, ow, 1]`: window size over the number of its elements inside the image; nothing where all are 1. */
function insideShares(
  x: tf.Tensor4D,
  { filterSize, strides, pad, dimRoundingMode }: PoolAttrs,
): tf.Tensor | null {
  const info = tf.backend_util.computePool2DInfo(
    x.shape,
    filterSize,
    strides,
    1,
    explicitPad(pad),
    dimRoundingMode,
  );
  const axis = (output: number, stride: number, window: number, before: number, size: number) =>
    Array.from({ length: output }, (_, i) => {
      const from = i * stride - before;
      return window / (Math.min(size, from + window) - Math.max(0, from));
    });
  const h = axis(info.outHeight, info.strideHeight, info.filterHeight, info.padInfo.top, info.inHeight);
  const w = axis(info.outWidth, info.strideWidth, info.filterWidth, info.padInfo.left, info.inWidth);
  if ([...h, ...w].every((share) => share === 1)) return null;
  const shares = h.flatMap((a) => w.map((b) => a * b));
  return tf.tensor4d(shares, [1, h.length, w.length, 1]);
}

/** The second order: averaging is linear, so the gradient of its gradient is an average again. */
const avgPoolGrad: Gradient = {
  kernelName: tf.AvgPoolGrad,
  inputsToSave: ['input'],
  gradFunc: (ddx, [input], attrs: PoolAttrs) => ({
    dy: () => {
      const averages = kernel(tf.AvgPool, { x: ddx }, attrs);
      const shares = insideShares(input as tf.Tensor4D, attrs);
      return shares ? tf.div(averages, shares) : averages;
    },
    input: () => zero(input!),
  }),
};

/** Where the maxima are does not change with a small step: the gradient's gradient reads at the same places. */
const maxPoolGrad: Gradient = {
  kernelName: tf.MaxPoolGrad,
  inputsToSave: ['input', 'output'],
  gradFunc: (ddx, [input, output], { filterSize, strides, pad }: PoolAttrs) => ({
    dy: () => {
      const attrs = { filterSize, strides, pad, includeBatchInIndex: true };
      const [, places] = tf.engine().runKernel(tf.MaxPoolWithArgmax, { x: input! }, attrs) as unknown as [
        tf.Tensor,
        tf.Tensor,
      ];
      const read = tf.gather(
        tf.reshape(ddx, [ddx.size]),
        tf.cast(tf.reshape(places, [places.size]), 'int32'),
      );
      return tf.reshape(read, output!.shape);
    },
    input: () => zero(input!),
    output: () => zero(output!),
  }),
};

const maxPoolWithArgmax: Gradient = {
  kernelName: tf.MaxPoolWithArgmax,
  inputsToSave: ['x'],
  outputsToSave: [true, false],
  gradFunc: ([dy], [input, output], { filterSize, strides, pad }: PoolAttrs) => ({
    x: () =>
      kernel(tf.MaxPoolGrad, { dy: dy!, input: input!, output: output! }, { filterSize, strides, pad }),
  }),
};

const avgPool3dGrad: Gradient = {
  kernelName: tf.AvgPool3DGrad,
  inputsToSave: ['input'],
  gradFunc: (ddx, [input], attrs: object) => ({
    dy: () => kernel(tf.AvgPool3D, { x: ddx }, { ...attrs, dataFormat: 'NDHWC' }),
    input: () => zero(input!),
  }),
};

export const poolingGradients: readonly Gradient[] = [
  avgPool,
  avgPool3dGrad,
  avgPoolGrad,
  maxPoolGrad,
  maxPoolWithArgmax,
];
