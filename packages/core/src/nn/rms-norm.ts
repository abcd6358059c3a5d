import * as tf from '@tensorflow/tfjs-core';
import { rmsNorm } from '../ops/rms-norm';
import { axes } from './layer-norm';
import { type Parameter, parameter } from './leaf';
import { Layer } from './module';

export interface RmsNormLayerOptions {
  /** Added to the mean square. Default 2⁻²³, as PyTorch's `eps=None`; published models often have 1e-5 or 1e-6. */
  eps?: number | null;
  /** Learned scale. Default true. */
  elementwiseAffine?: boolean;
}

/** Division by the root mean square over the last axes. `weight [...normalizedShape]` starts at 1. */
export class RMSNorm extends Layer {
  readonly weight: Parameter | null;
  readonly normalizedShape: readonly number[];
  readonly eps: number | null;

  constructor(normalizedShape: number | readonly number[], options: RmsNormLayerOptions = {}) {
    super();
    const { eps = null, elementwiseAffine = true } = options;
    this.normalizedShape = axes('RMSNorm', normalizedShape);
    this.eps = eps;
    this.weight = elementwiseAffine ? parameter(tf.ones([...this.normalizedShape])) : null;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return rmsNorm(x, this.normalizedShape, { weight: this.weight, eps: this.eps });
  }
}
