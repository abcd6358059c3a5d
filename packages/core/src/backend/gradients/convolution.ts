import * as tf from '@tensorflow/tfjs-core';
import { type ConvAttrs, convAxes } from '../complete/conv-geometry';
import { convFilterGradient } from '../complete/conv2d-backprop-filter';
import { conv2dInputGradient } from '../complete/conv2d-backprop-input';
import { depthwiseFilterGradient, depthwiseInputGradient } from '../complete/depthwise-backprop';
import { type Gradient, kernel } from './config';

type Filters = [x: tf.Tensor4D, filter: tf.Tensor4D];

function isDilated({ dilations = 1 }: ConvAttrs): boolean {
  return [dilations].flat().some((d) => d !== 1);
}

/** What the backprop kernels take of a convolution's attributes. */
function backward({ strides, pad, dataFormat = 'NHWC', dimRoundingMode }: ConvAttrs) {
  return { strides, pad, dataFormat, dimRoundingMode, dilations: 1 };
}

/** Without dilation by the backend's kernels. They take none, so that with one it is composed of convolutions. */
const conv2d: Gradient = {
  kernelName: tf.Conv2D,
  inputsToSave: ['x', 'filter'],
  gradFunc: (dy, saved, attrs: ConvAttrs) => {
    const [x, filter] = saved as Filters;
    if (isDilated(attrs)) {
      const [h, w] = convAxes(x.shape, filter.shape, attrs);
      return {
        x: () => conv2dInputGradient(dy as tf.Tensor as tf.Tensor4D, filter, h, w),
        filter: () => convFilterGradient(x, dy as tf.Tensor as tf.Tensor4D, h, w),
      };
    }
    return {
      x: () => kernel(tf.Conv2DBackpropInput, { dy, filter }, { ...backward(attrs), inputShape: x.shape }),
      filter: () =>
        kernel(tf.Conv2DBackpropFilter, { x, dy }, { ...backward(attrs), filterShape: filter.shape }),
    };
  },
};

// The second order: both gradients are linear in either operand, hence convolutions again.

const conv2dBackpropInput: Gradient = {
  kernelName: tf.Conv2DBackpropInput,
  inputsToSave: ['dy', 'filter'],
  gradFunc: (ddx, saved, attrs: ConvAttrs) => {
    const [dy, filter] = saved as Filters;
    return {
      dy: () => kernel(tf.Conv2D, { x: ddx, filter }, backward(attrs)),
      filter: () =>
        kernel(tf.Conv2DBackpropFilter, { x: ddx, dy }, { ...backward(attrs), filterShape: filter.shape }),
    };
  },
};

const conv2dBackpropFilter: Gradient = {
  kernelName: tf.Conv2DBackpropFilter,
  inputsToSave: ['x', 'dy'],
  gradFunc: (ddw, saved, attrs: ConvAttrs) => {
    const [x, dy] = saved as Filters;
    return {
      x: () =>
        kernel(tf.Conv2DBackpropInput, { dy, filter: ddw }, { ...backward(attrs), inputShape: x.shape }),
      dy: () => kernel(tf.Conv2D, { x, filter: ddw }, backward(attrs)),
    };
  },
};

const depthwise: Gradient = {
  kernelName: tf.DepthwiseConv2dNative,
  inputsToSave: ['x', 'filter'],
  gradFunc: (dy, saved, attrs: ConvAttrs) => {
    const [x, filter] = saved as Filters;
    if (isDilated(attrs)) {
      const [h, w] = convAxes(x.shape, filter.shape, attrs, true);
      return {
        x: () => depthwiseInputGradient(dy as tf.Tensor as tf.Tensor4D, filter, h, w),
        filter: () => depthwiseFilterGradient(x, dy as tf.Tensor as tf.Tensor4D, filter.shape[3], h, w),
      };
    }
    return {
      x: () =>
        kernel(
          tf.DepthwiseConv2dNativeBackpropInput,
          { dy, filter },
          { ...backward(attrs), dilations: [1, 1], inputShape: x.shape },
        ),
      filter: () =>
        kernel(
          tf.DepthwiseConv2dNativeBackpropFilter,
          { x, dy },
          { ...backward(attrs), dilations: [1, 1], filterShape: filter.shape },
        ),
    };
  },
};

const depthwiseBackpropInput: Gradient = {
  kernelName: tf.DepthwiseConv2dNativeBackpropInput,
  inputsToSave: ['dy', 'filter'],
  gradFunc: (ddx, saved, attrs: ConvAttrs) => {
    const [dy, filter] = saved as Filters;
    const back = { ...backward(attrs), dilations: [1, 1] };
    return {
      dy: () => kernel(tf.DepthwiseConv2dNative, { x: ddx, filter }, back),
      filter: () =>
        kernel(
          tf.DepthwiseConv2dNativeBackpropFilter,
          { x: ddx, dy },
          { ...back, filterShape: filter.shape },
        ),
    };
  },
};

const depthwiseBackpropFilter: Gradient = {
  kernelName: tf.DepthwiseConv2dNativeBackpropFilter,
  inputsToSave: ['x', 'dy'],
  gradFunc: (ddw, saved, attrs: ConvAttrs) => {
    const [x, dy] = saved as Filters;
    const back = { ...backward(attrs), dilations: [1, 1] };
    return {
      x: () =>
        kernel(tf.DepthwiseConv2dNativeBackpropInput, { dy, filter: ddw }, { ...back, inputShape: x.shape }),
      dy: () => kernel(tf.DepthwiseConv2dNative, { x, filter: ddw }, back),
    };
  },
};

interface Conv3DAttrs {
  strides: number | [number, number, number];
  pad: 'valid' | 'same';
}

const conv3dBackpropInput: Gradient = {
  kernelName: tf.Conv3DBackpropInputV2,
  inputsToSave: ['dy', 'filter'],
  gradFunc: (ddx, [dy, filter], { strides, pad }: Conv3DAttrs) => ({
    dy: () =>
      kernel(tf.Conv3D, { x: ddx, filter: filter! }, { strides, pad, dataFormat: 'NDHWC', dilations: 1 }),
    filter: () =>
      kernel(tf.Conv3DBackpropFilterV2, { x: ddx, dy: dy! }, { strides, pad, filterShape: filter!.shape }),
  }),
};

const conv3dBackpropFilter: Gradient = {
  kernelName: tf.Conv3DBackpropFilterV2,
  inputsToSave: ['x', 'dy'],
  gradFunc: (ddw, [x, dy], { strides, pad }: Conv3DAttrs) => ({
    x: () =>
      kernel(tf.Conv3DBackpropInputV2, { dy: dy!, filter: ddw }, { strides, pad, inputShape: x!.shape }),
    dy: () => kernel(tf.Conv3D, { x: x!, filter: ddw }, { strides, pad, dataFormat: 'NDHWC', dilations: 1 }),
  }),
};

export const convolutionGradients: readonly Gradient[] = [
  conv2d,
  conv2dBackpropFilter,
  conv2dBackpropInput,
  conv3dBackpropFilter,
  conv3dBackpropInput,
  depthwise,
  depthwiseBackpropFilter,
  depthwiseBackpropInput,
];
