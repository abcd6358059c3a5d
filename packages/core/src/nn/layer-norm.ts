import * as tf from '@tensorflow/tfjs-core';
import { layerNorm } from '../ops/layer-norm';
import { checkSizes } from './fresh';
import { type Parameter, parameter } from './leaf';
import { Layer } from './module';

export interface LayerNormLayerOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Learned scale and shift. Default true. */
  elementwiseAffine?: boolean;
  /** With a shift, if there is a scale. Default true. */
  bias?: boolean;
}

/**
 * Layer normalization over the last axes: `[..., ...normalizedShape]` → the same shape.
 *
 * `weight` starts at 1, `bias` at 0, both of shape `normalizedShape`.
 */
export class LayerNorm extends Layer {
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly normalizedShape: readonly number[];
  readonly eps: number;

  constructor(normalizedShape: number | readonly number[], options: LayerNormLayerOptions = {}) {
    super();
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = options;
    this.normalizedShape = axes('LayerNorm', normalizedShape);
    this.eps = eps;
    this.weight = elementwiseAffine ? parameter(tf.ones([...this.normalizedShape])) : null;
    this.bias = elementwiseAffine && bias ? parameter(tf.zeros([...this.normalizedShape])) : null;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const { weight, bias, eps } = this;
    return layerNorm(x, this.normalizedShape, { weight, bias, eps });
  }
}

/** The lengths of the normalized axes, checked. */
export function axes(fn: string, normalizedShape: number | readonly number[]): readonly number[] {
  const shape = typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
  for (const length of shape.length > 0 ? shape : [0]) checkSizes(fn, { normalizedShape: length });
  return shape;
}
