import type * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { linear } from '../ops/linear';
import { checkSizes, freshWeights, type WeightOptions } from './fresh';
import type { Parameter } from './leaf';
import { Layer } from './module';

export interface LinearOptions extends WeightOptions {
  /** Default true. */
  bias?: boolean;
}

/**
 * `y = x · weightᵀ + bias` on the last axis: `[..., in]` → `[..., out]`.
 *
 * `weight [out, in]` and `bias [out]` start uniform in ±1/√in.
 */
export class Linear extends Layer {
  readonly weight: Parameter<tf.Rank.R2>;
  readonly bias: Parameter<tf.Rank.R1> | null;
  readonly inFeatures: number;
  readonly outFeatures: number;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions) {
    super();
    checkSizes('Linear', { inFeatures, outFeatures });
    const shape = [outFeatures, inFeatures];
    const fan = { in: inFeatures, out: outFeatures };
    const biasSize = (options.bias ?? true) ? outFeatures : null;
    const { weight, bias } = freshWeights<tf.Rank.R2>(options, shape, fan, {}, biasSize);
    this.weight = weight;
    this.bias = bias;
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const fits = x.rank >= 1 && x.shape.at(-1) === this.inFeatures;
    checkArgument(fits, 'Linear.forward', 'x', `[..., ${this.inFeatures}]`, x.shape);
    return linear(x, this.weight, this.bias);
  }
}
