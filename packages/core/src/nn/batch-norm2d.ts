import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { batchNorm } from '../ops/batch-norm';
import { checkSizes } from './fresh';
import { type Buffer, buffer, type Parameter, parameter } from './leaf';
import { Layer } from './module';

export interface BatchNormLayerOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Weight of the newest batch in the running statistics; `null`: their plain average over all batches. Default 0.1. */
  momentum?: number | null;
  /** Learned scale and shift. Default true. */
  affine?: boolean;
  /** Keeps running statistics for evaluation. Default true; otherwise the batch's own are used there too. */
  trackRunningStats?: boolean;
}

/**
 * Batch normalization of the last axis, whatever the others: `[batch, ..., features]` → the same shape.
 *
 * `weight` starts at 1, `bias` at 0. Buffers, unless `trackRunningStats` is false: `running_mean` (0), `running_var`
 * (1, of the unbiased variance), `num_batches_tracked` (int32, I64 on disk). A forward in training updates them.
 */
export class BatchNorm extends Layer {
  readonly weight: Parameter<tf.Rank.R1> | null;
  readonly bias: Parameter<tf.Rank.R1> | null;
  readonly running_mean: Buffer<tf.Rank.R1> | null;
  readonly running_var: Buffer<tf.Rank.R1> | null;
  readonly num_batches_tracked: Buffer<tf.Rank.R0> | null;
  readonly features: number;
  readonly eps: number;
  readonly momentum: number | null;

  constructor(features: number, options: BatchNormLayerOptions = {}) {
    super();
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    checkSizes('BatchNorm', { features });
    const share = momentum === null || (momentum >= 0 && momentum <= 1);
    checkArgument(share, 'BatchNorm', 'options.momentum', 'a number in [0, 1] or null', momentum);
    this.features = features;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? parameter(tf.ones([features])) : null;
    this.bias = affine ? parameter(tf.zeros([features])) : null;
    this.running_mean = trackRunningStats ? buffer(tf.zeros([features])) : null;
    this.running_var = trackRunningStats ? buffer(tf.ones([features])) : null;
    this.num_batches_tracked = trackRunningStats ? buffer(tf.scalar(0, 'int32'), { dtype: 'I64' }) : null;
  }

  /** Which inputs `forward` takes: their ranks, and the words for it. */
  protected input(): { name: string; ranks: readonly number[]; expected: string } {
    return { name: 'BatchNorm', ranks: [2, 3, 4, 5, 6], expected: `[batch, ..., ${this.features}]` };
  }

  override forward(x: tf.Tensor): tf.Tensor {
    const { name, ranks, expected } = this.input();
    const fits = ranks.includes(x.rank) && x.shape.at(-1) === this.features;
    checkArgument(fits, `${name}.forward`, 'x', expected, x.shape);
    const { weight, bias, eps, num_batches_tracked: count } = this;
    const running = { runningMean: this.running_mean, runningVar: this.running_var };
    const training = this.training || !running.runningMean;
    return tf.tidy(() => {
      if (!this.training || !count) return batchNorm(x, { weight, bias, eps, training, ...running });
      const seen = tf.add(count, tf.scalar(1, 'int32'));
      // The average over all batches. A tensor, not a number: a replayed step has to see it change.
      const momentum = this.momentum ?? (tf.reciprocal(tf.cast(seen, 'float32')) as tf.Scalar);
      const y = batchNorm(x, { weight, bias, eps, momentum, training, ...running });
      count.assign(seen as tf.Scalar);
      return y;
    });
  }
}

/** Batch normalization of images: `[batch, height, width, features]`. */
export class BatchNorm2d extends BatchNorm {
  protected override input() {
    return { name: 'BatchNorm2d', ranks: [4], expected: `[batch, height, width, ${this.features}]` };
  }
}

/** Batch normalization of vectors or sequences: `[batch, features]` or `[batch, length, features]`. */
export class BatchNorm1d extends BatchNorm {
  protected override input() {
    const expected = `[batch, ${this.features}] or [batch, length, ${this.features}]`;
    return { name: 'BatchNorm1d', ranks: [2, 3], expected };
  }
}
