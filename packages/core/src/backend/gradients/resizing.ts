import * as tf from '@tensorflow/tfjs-core';
import { bilinearWeights, nearestWeights, resizeGradient, resizeMode } from '../complete/resize-matrix';
import { type Gradient, kernel, zero } from './config';

interface ResizeAttrs {
  alignCorners: boolean;
  halfPixelCenters: boolean;
}

/** The gradient kernels know no pixel centres and silently take the corners instead. There, by matrices. */
function resize(kernelName: string, gradKernel: string, weights: typeof bilinearWeights): Gradient {
  return {
    kernelName,
    inputsToSave: ['images'],
    gradFunc: (dy, [images], attrs: ResizeAttrs) => ({
      images: () =>
        attrs.halfPixelCenters
          ? resizeGradient(dy, images!.shape, weights, resizeMode(attrs))
          : kernel(gradKernel, { dy, images: images! }, { alignCorners: attrs.alignCorners }),
    }),
  };
}

/** The second order: resizing is linear, so the gradient of its gradient is a resizing again. */
function resizeGrad(kernelName: string, forward: string): Gradient {
  return {
    kernelName,
    inputsToSave: ['dy', 'images'],
    gradFunc: (ddx, [dy, images], { alignCorners }: ResizeAttrs) => ({
      dy: () => {
        const size = dy!.shape.slice(1, 3);
        return kernel(forward, { images: ddx }, { alignCorners, halfPixelCenters: false, size });
      },
      images: () => zero(images!),
    }),
  };
}

export const resizingGradients: readonly Gradient[] = [
  resize(tf.ResizeBilinear, tf.ResizeBilinearGrad, bilinearWeights),
  resize(tf.ResizeNearestNeighbor, tf.ResizeNearestNeighborGrad, nearestWeights),
  resizeGrad(tf.ResizeBilinearGrad, tf.ResizeBilinear),
  resizeGrad(tf.ResizeNearestNeighborGrad, tf.ResizeNearestNeighbor),
];
