import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { groupNorm } from '../ops/group-norm';
import { checkSizes } from './fresh';
import { type Parameter, parameter } from './leaf';
import { Layer } from './module';

export interface GroupNormLayerOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Learned scale and shift of each channel. Default true. */
  affine?: boolean;
}

/**
 * Group normalization: `[batch, ..., channels]` → the same shape. `weight [channels]` starts at 1, `bias` at 0.
 */
export class GroupNorm extends Layer {
  readonly weight: Parameter<tf.Rank.R1> | null;
  readonly bias: Parameter<tf.Rank.R1> | null;
  readonly groups: number;
  readonly channels: number;
  readonly eps: number;

  constructor(groups: number, channels: number, options: GroupNormLayerOptions = {}) {
    super();
    const { eps = 1e-5, affine = true } = options;
    checkSizes('GroupNorm', { groups, channels });
    checkArgument(
      channels % groups === 0,
      'GroupNorm',
      'groups',
      `a divisor of ${channels} channels`,
      groups,
    );
    this.groups = groups;
    this.channels = channels;
    this.eps = eps;
    this.weight = affine ? parameter(tf.ones([channels])) : null;
    this.bias = affine ? parameter(tf.zeros([channels])) : null;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const fits = x.rank >= 2 && x.shape.at(-1) === this.channels;
    checkArgument(fits, 'GroupNorm.forward', 'x', `[batch, ..., ${this.channels}]`, x.shape);
    const { weight, bias, eps } = this;
    return groupNorm(x, this.groups, { weight, bias, eps });
  }
}
