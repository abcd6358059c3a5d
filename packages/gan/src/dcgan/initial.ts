import { BatchNorm2d, type Key, normal, normalInit } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

// First values of the paper (Radford et al. 2016, section 4) and of PyTorch's tutorial.

/** N(0, 0.02²) for every convolution. */
export const convolutionInit = normalInit({ std: 0.02 });

/** Batch normalization whose scale starts at N(1, 0.02²) and whose shift starts at 0. */
export function batchNorm(features: number, key: Key): BatchNorm2d {
  const layer = new BatchNorm2d(features);
  tf.tidy(() => layer.weight!.assign(normal(key, [features], { mean: 1, std: 0.02 }) as tf.Tensor1D));
  return layer;
}
