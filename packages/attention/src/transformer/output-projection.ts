import { type Key, Layer, Linear, linear, type Parameter, parameter } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** From features to logits. The weight is its own, or an embedding's: `[vocab, dim]` both. */
export class OutputProjection extends Layer {
  readonly weight: Parameter<tf.Rank.R2>;
  readonly bias: Parameter<tf.Rank.R1>;

  constructor(dim: number, vocab: number, { key, tied }: { key: Key; tied: Parameter<tf.Rank.R2> | null }) {
    super();
    this.weight = tied ?? new Linear(dim, vocab, { key, bias: false }).weight;
    this.bias = parameter(tf.zeros([vocab]));
  }

  override forward(x: tf.Tensor): tf.Tensor {
    return linear(x, this.weight, this.bias);
  }
}
