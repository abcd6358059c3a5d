import type * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { checkRate, dropout } from '../ops/dropout';
import { type ForwardContext, Layer } from './module';

/**
 * Dropout of single elements in training, the identity in evaluation.
 *
 * The key comes with the call, `layer.forward(x, { key })`: the same key drops the same elements. In training with a
 * rate above 0, a missing key is an `ArgumentError`.
 */
export class Dropout extends Layer {
  readonly rate: number;

  /** @param rate share of the elements that is dropped, in [0, 1]. Default 0.5. */
  constructor(rate = 0.5) {
    super();
    checkRate('Dropout', 'rate', rate);
    this.rate = rate;
  }

  override forward(x: tf.Tensor, { key }: ForwardContext = {}): tf.Tensor {
    const { rate, training } = this;
    const able = key || !training || rate === 0;
    checkArgument(able, 'Dropout.forward', 'context.key', `a key, for a rate of ${rate} in training`, key);
    return dropout(x, rate, { key, training });
  }
}
