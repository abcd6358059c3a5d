import type * as tf from '@tensorflow/tfjs-core';
import { flatten, unflatten } from '../ops/flatten';
import { Layer } from './module';

/**
 * `[batch, ...]` → `[batch, features]`, channel by channel as PyTorch counts them, so that the weights of a following
 * `Linear` carry over unchanged. `channels: 'last'` keeps the order in memory: right for `[batch, seq, dim]`.
 */
export class Flatten extends Layer {
  constructor(readonly options: { channels?: 'first' | 'last' } = {}) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor2D {
    return flatten(x, this.options);
  }
}

/** The way back: `new Unflatten([7, 7, 64])` makes images `[batch, 7, 7, 64]` of `[batch, 3136]`, counted likewise. */
export class Unflatten extends Layer {
  constructor(readonly shape: readonly number[]) {
    super();
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return unflatten(x, this.shape);
  }
}
