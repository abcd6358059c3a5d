import {
  Dropout,
  type ForwardContext,
  gelu,
  type Initializer,
  type Key,
  Layer,
  Linear,
  relu,
  silu,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** A function of each number, such as core's `relu`, `gelu` or `silu`. */
export type Activation = (x: tf.Tensor) => tf.Tensor;

export interface FeedForwardOptions {
  /** Where the first weights come from. */
  key: Key;
  /** Default `relu`. */
  activation?: Activation;
  /** Rate at which hidden features are dropped in training. Default 0. */
  dropout?: number;
  /** Default true. */
  bias?: boolean;
  /** Distribution of the weights into the hidden features, and out of them. Default: that of `Linear`. */
  init?: readonly [into: Initializer, out: Initializer];
}

/** Makes the feed-forward part of a block: from `dim` to `hidden` features and back. */
export type FeedForwardMaker = (
  dim: number,
  hidden: number,
  options: { key: Key; dropout: number; bias: boolean },
) => Layer;

/** `linear2(dropout(activation(linear1(x))))`: Vaswani et al. (2017), equation 2. `[..., dim]` → `[..., dim]`. */
export class FeedForward extends Layer {
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly #activation: Activation;

  constructor(dim: number, hidden: number, options: FeedForwardOptions) {
    super();
    const { key, activation = relu, dropout = 0, bias = true, init: [into, out] = [] } = options;
    const [first, second] = key.split(2) as [Key, Key];
    this.linear1 = new Linear(dim, hidden, { key: first, bias, init: into });
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(hidden, dim, { key: second, bias, init: out });
    this.#activation = activation;
  }

  override forward(x: tf.Tensor, context: ForwardContext = {}): tf.Tensor {
    return tf.tidy(() => {
      const hidden = this.#activation(this.linear1.forward(x));
      return this.linear2.forward(this.dropout.forward(hidden, context));
    });
  }
}

/**
 * `linear2(dropout(activation(linear1(x)) · linear3(x)))`: a gated feed-forward, SwiGLU with `silu` (Shazeer, "GLU
 * Variants Improve Transformer", 2020). Llama calls the three `gate_proj`, `down_proj` and `up_proj`.
 */
export class GatedFeedForward extends Layer {
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly linear3: Linear;
  readonly #activation: Activation;

  /** `activation` is `silu` by default. */
  constructor(dim: number, hidden: number, options: FeedForwardOptions) {
    super();
    const { key, activation = silu, dropout = 0, bias = true, init: [into, out] = [] } = options;
    const [first, second, third] = key.split(3) as [Key, Key, Key];
    this.linear1 = new Linear(dim, hidden, { key: first, bias, init: into });
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(hidden, dim, { key: second, bias, init: out });
    this.linear3 = new Linear(dim, hidden, { key: third, bias, init: into });
    this.#activation = activation;
  }

  override forward(x: tf.Tensor, context: ForwardContext = {}): tf.Tensor {
    return tf.tidy(() => {
      const hidden = tf.mul(this.#activation(this.linear1.forward(x)), this.linear3.forward(x));
      return this.linear2.forward(this.dropout.forward(hidden, context));
    });
  }
}

/** A feed-forward part with another activation: `feedForward: mlp(quickGelu)`. */
export const mlp =
  (activation: Activation): FeedForwardMaker =>
  (dim, hidden, options) =>
    new FeedForward(dim, hidden, { ...options, activation });

/** With ReLU, as in the paper. */
export const reluFeedForward: FeedForwardMaker = mlp(relu);

/** With GELU, as in BERT and GPT. */
export const geluFeedForward: FeedForwardMaker = mlp((x) => gelu(x));

/** Gated, with SiLU. It has three matrices: for as many weights as others have, take ⅔ of the hidden features. */
export const swiGLU: FeedForwardMaker = (dim, hidden, options) => new GatedFeedForward(dim, hidden, options);
