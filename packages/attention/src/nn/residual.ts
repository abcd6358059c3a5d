import type { Layer } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * How a part of a block, its normalization and the way around it are put together. It calls `part` outside of any `tidy`
 * of its own: a part may make more than its result, caches and weights.
 */
export type Residual = (x: tf.Tensor, norm: Layer, part: (x: tf.Tensor) => tf.Tensor) => tf.Tensor;

/** `norm(x + part(x))`, as in the paper: Vaswani et al. (2017), section 3.1. */
export const postNorm: Residual = (x, norm, part) => norm.forward(tf.add(x, part(x)));

/** `x + part(norm(x))`: gradients reach every layer unscaled, and training needs less care (Xiong et al., 2020). */
export const preNorm: Residual = (x, norm, part) => tf.add(x, part(norm.forward(x)));
