import { checkArgument, Dropout, type ForwardContext, type Layer, Module } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Attended } from '../attention';
import { withWeights } from '../attention/scaled-dot-product-attention';
import type { Positions } from '../positions';
import { flattened, partKeys } from './block';
import { checkKeyMask, checkSequence } from './check';
import type { MultiHeadAttention } from './multi-head-attention';
import { postNorm, type Residual } from './residual';

/** What an encoder layer is made of. */
export interface EncoderLayerParts {
  attention: MultiHeadAttention;
  feedForward: Layer;
  /** Of the attention and of the feed-forward part. */
  norms: readonly [Layer, Layer];
  /** Default `postNorm`. */
  residual?: Residual;
  /** Rate at which the parts' results are dropped in training. Default 0. */
  dropout?: number;
}

export interface EncoderOptions extends ForwardContext {
  /** bool, true where a query may look, or additive; see `scaledDotProductAttention`. */
  mask?: tf.Tensor | null;
  /** bool `[batch, seq]`: which tokens are no padding. */
  keyMask?: tf.Tensor | null;
  /** Tokens see only tokens before them, and themselves. Default false. */
  causal?: boolean;
  /** Turns queries and keys. */
  positions?: Positions | null;
  /** Added to all scores. */
  bias?: tf.Tensor | null;
}

/** What an encoder gives where `returnWeights` asks for it. */
export type EncoderWeights = {
  output: tf.Tensor;
  /** Of each layer: `[batch, heads, seq, seq]`, from queries to keys. */
  weights: tf.Tensor[];
};

/**
 * Self-attention and a feed-forward part: `torch.nn.TransformerEncoderLayer`, with its parameter names (`self_attn`,
 * `linear1`, `linear2`, `norm1`, `norm2`). A feed-forward part of your own comes under `feed_forward`.
 */
export class TransformerEncoderLayer extends Module {
  readonly self_attn: MultiHeadAttention;
  readonly norm1: Layer;
  readonly norm2: Layer;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly #feedForward: Layer;
  readonly #residual: Residual;

  constructor({ attention, feedForward, norms, residual = postNorm, dropout = 0 }: EncoderLayerParts) {
    super();
    this.self_attn = attention;
    this.#feedForward = feedForward;
    [this.norm1, this.norm2] = norms;
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.#residual = residual;
  }

  override *children(): Iterable<[name: string, module: Module]> {
    yield* flattened(super.children(), this.#feedForward);
  }

  /** `[batch, seq, dim]` → the same, or `{ output, weights }` of the attention. The caller owns the result. */
  forward(x: tf.Tensor, options: EncoderOptions & { returnWeights: true }): Attended;
  forward(x: tf.Tensor, options?: EncoderOptions & { returnWeights?: false }): tf.Tensor;
  forward(x: tf.Tensor, options?: EncoderOptions & { returnWeights?: boolean }): tf.Tensor | Attended;
  forward(x: tf.Tensor, options: EncoderOptions & { returnWeights?: boolean } = {}): tf.Tensor | Attended {
    const { key, ...attending } = options;
    const [forAttention, forFirst, forHidden, forSecond] = partKeys(key, 4);
    return tf.tidy(() => {
      let weights: tf.Tensor | undefined;
      const attended = this.#residual(x, this.norm1, (x) => {
        const found = withWeights(this.self_attn.forward(x, { ...attending, ...forAttention }));
        weights = found.weights;
        return this.dropout1.forward(found.output, forFirst);
      });
      const output = this.#residual(attended, this.norm2, (x) =>
        this.dropout2.forward(this.#feedForward.forward(x, forHidden), forSecond),
      );
      return weights ? { output, weights } : output;
    });
  }
}

/** Encoder layers one after the other, and a normalization at the end if there is one: `torch.nn.TransformerEncoder`. */
export class TransformerEncoder extends Module {
  readonly layers: readonly TransformerEncoderLayer[];
  readonly norm: Layer | null;

  constructor(layers: readonly TransformerEncoderLayer[], norm: Layer | null = null) {
    super();
    checkArgument(layers.length > 0, 'TransformerEncoder', 'layers', 'at least one layer', layers);
    this.layers = [...layers];
    this.norm = norm;
  }

  /**
   * @param x `[batch, seq, dim]`: embeddings with their positions.
   * @returns the same shape, or with `returnWeights` that and the weights of all layers. The caller owns it.
   */
  forward(x: tf.Tensor, options: EncoderOptions & { returnWeights: true }): EncoderWeights;
  forward(x: tf.Tensor, options?: EncoderOptions & { returnWeights?: false }): tf.Tensor;
  forward(
    x: tf.Tensor,
    options: EncoderOptions & { returnWeights?: boolean } = {},
  ): tf.Tensor | EncoderWeights {
    const { key, positions, returnWeights } = options;
    const fn = 'TransformerEncoder.forward';
    checkSequence(fn, 'x', x, this.layers[0]!.self_attn.dim);
    checkKeyMask(fn, 'options.keyMask', options.keyMask, [x.shape[0]!, x.shape[1]!]);
    return tf.tidy(() => {
      const seq = x.shape[1]!;
      const bias = options.bias ?? positions?.bias(seq, seq) ?? null; // one for all layers
      const weights: tf.Tensor[] = [];
      const last = this.layers.reduce((x, layer, i) => {
        const found = withWeights(layer.forward(x, { ...options, bias, ...(key && { key: key.fold(i) }) }));
        if (found.weights) weights.push(found.weights);
        return found.output;
      }, x);
      const output = this.norm ? this.norm.forward(last) : last;
      return returnWeights ? { output, weights } : output;
    });
  }
}
