import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { instanceNorm } from '../ops/instance-norm';
import { checkSizes } from './fresh';
import { type Buffer, buffer, type Parameter, parameter } from './leaf';
import { Layer } from './module';

export interface InstanceNormLayerOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Weight of the newest batch in the running statistics. Default 0.1. */
  momentum?: number;
  /** Learned scale and shift of each channel. Default false, as in PyTorch. */
  affine?: boolean;
  /** Keeps running statistics and uses them in evaluation. Default false, as in PyTorch. */
  trackRunningStats?: boolean;
}

/**
 * Instance normalization of images: `[batch, height, width, features]` → the same shape.
 *
 * With `affine`, `weight [features]` starts at 1 and `bias` at 0. With `trackRunningStats`, the buffers are those of
 * `BatchNorm2d`; like PyTorch's, `num_batches_tracked` is saved but never counted up.
 */
export class InstanceNorm2d extends Layer {
  readonly weight: Parameter<tf.Rank.R1> | null;
  readonly bias: Parameter<tf.Rank.R1> | null;
  readonly running_mean: Buffer<tf.Rank.R1> | null;
  readonly running_var: Buffer<tf.Rank.R1> | null;
  readonly num_batches_tracked: Buffer<tf.Rank.R0> | null;
  readonly features: number;
  readonly eps: number;
  readonly momentum: number;

  constructor(features: number, options: InstanceNormLayerOptions = {}) {
    super();
    const { eps = 1e-5, momentum = 0.1, affine = false, trackRunningStats = false } = options;
    checkSizes('InstanceNorm2d', { features });
    this.features = features;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? parameter(tf.ones([features])) : null;
    this.bias = affine ? parameter(tf.zeros([features])) : null;
    this.running_mean = trackRunningStats ? buffer(tf.zeros([features])) : null;
    this.running_var = trackRunningStats ? buffer(tf.ones([features])) : null;
    this.num_batches_tracked = trackRunningStats ? buffer(tf.scalar(0, 'int32'), { dtype: 'I64' }) : null;
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const fits = x.rank === 4 && x.shape[3] === this.features;
    checkArgument(fits, 'InstanceNorm2d.forward', 'x', `[batch, height, width, ${this.features}]`, x.shape);
    const { weight, bias, eps, momentum, running_mean: runningMean, running_var: runningVar } = this;
    const useInputStats = this.training || !runningMean;
    return instanceNorm(x, { weight, bias, eps, momentum, useInputStats, runningMean, runningVar });
  }
}
