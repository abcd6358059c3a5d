import { checkArgument, Dropout, type ForwardContext, type Layer, Module } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { withWeights } from '../attention/scaled-dot-product-attention';
import { type Positions, positionsOf } from '../positions/positions';
import { flattened, partKeys } from './block';
import type { KeyValues } from './cache';
import { checkCount, checkKeyMask, checkMemory, checkPosition, checkSequence } from './check';
import type { MultiHeadAttention } from './multi-head-attention';
import { postNorm, type Residual } from './residual';

/** What a decoder layer is made of. */
export interface DecoderLayerParts {
  attention: MultiHeadAttention;
  /** From the target to the memory. */
  crossAttention: MultiHeadAttention;
  feedForward: Layer;
  /** Of the attention, of the cross-attention and of the feed-forward part. */
  norms: readonly [Layer, Layer, Layer];
  /** Default `postNorm`. */
  residual?: Residual;
  /** Rate at which the parts' results are dropped in training. Default 0. */
  dropout?: number;
}

export interface DecoderOptions extends ForwardContext {
  /** Of the target: bool, true where a query may look, or additive; see `scaledDotProductAttention`. */
  mask?: tf.Tensor | null;
  /** Of the target, bool `[batch, seq]`: which tokens are no padding. Behind the last token, causality sees to it. */
  keyMask?: tf.Tensor | null;
  /** Tokens see only tokens before them, and themselves. Default true. */
  causal?: boolean;
  /** Who may look at what of the memory. */
  memoryMask?: tf.Tensor | null;
  /** Of the memory, bool `[batch, seq]`: which tokens are no padding. */
  memoryKeyMask?: tf.Tensor | null;
  /** Turns queries and keys of the self-attention. */
  positions?: Positions | null;
  /** Added to all scores of the self-attention. */
  bias?: tf.Tensor | null;
}

/** Who looks at whom in a decoder layer. */
export type DecoderLayerWeights = {
  /** Self-attention: `[batch, heads, seq, seq]`, from queries to keys. */
  self: tf.Tensor;
  /** From the target to the memory: `[batch, heads, seq, memoryLength]`. */
  cross: tf.Tensor;
};

/** What a decoder gives where `returnWeights` asks for it: the weights are those of each layer. */
export type DecoderWeights = { output: tf.Tensor; weights: DecoderLayerWeights[] };

/** What `step` needs beside the new tokens. Shapes stay the same from step to step. */
export type DecoderState = {
  /** Per layer, of the memory: `[batch, kvHeads, memoryLength, headDim]`. */
  memory: KeyValues[];
  /** bool `[batch, memoryLength]`, or none. */
  memoryKeyMask?: tf.Tensor | undefined;
  /** Per layer, of the target so far: `[batch · beams, kvHeads, length, headDim]`. */
  cache: KeyValues[];
};

/**
 * Causal self-attention, attention to a memory, and a feed-forward part: `torch.nn.TransformerDecoderLayer`, with its
 * parameter names (`self_attn`, `multihead_attn`, `linear1`, `linear2`, `norm1`, `norm2`, `norm3`).
 */
export class TransformerDecoderLayer extends Module {
  readonly self_attn: MultiHeadAttention;
  readonly multihead_attn: MultiHeadAttention;
  readonly norm1: Layer;
  readonly norm2: Layer;
  readonly norm3: Layer;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly dropout3: Dropout;
  readonly #feedForward: Layer;
  readonly #residual: Residual;

  constructor(parts: DecoderLayerParts) {
    super();
    const { attention, crossAttention, feedForward, norms, residual = postNorm, dropout = 0 } = parts;
    this.self_attn = attention;
    this.multihead_attn = crossAttention;
    this.#feedForward = feedForward;
    [this.norm1, this.norm2, this.norm3] = norms;
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.dropout3 = new Dropout(dropout);
    this.#residual = residual;
  }

  override *children(): Iterable<[name: string, module: Module]> {
    yield* flattened(super.children(), this.#feedForward);
  }

  /**
   * @param x `[batch, seq, dim]`.
   * @param memory `[batch, memoryLength, memoryDim]`: what the encoder made.
   * @returns `[batch, seq, dim]`, or `{ output, weights: { self, cross } }`. The caller owns it.
   */
  forward(
    x: tf.Tensor,
    memory: tf.Tensor,
    options: DecoderOptions & { returnWeights: true },
  ): { output: tf.Tensor; weights: DecoderLayerWeights };
  forward(x: tf.Tensor, memory: tf.Tensor, options?: DecoderOptions & { returnWeights?: false }): tf.Tensor;
  forward(
    x: tf.Tensor,
    memory: tf.Tensor,
    options?: DecoderOptions & { returnWeights?: boolean },
  ): tf.Tensor | { output: tf.Tensor; weights: DecoderLayerWeights };
  forward(
    x: tf.Tensor,
    memory: tf.Tensor,
    options: DecoderOptions & { returnWeights?: boolean } = {},
  ): tf.Tensor | { output: tf.Tensor; weights: DecoderLayerWeights } {
    const { key, mask, keyMask, causal = true, memoryMask, memoryKeyMask, positions, bias } = options;
    const { returnWeights } = options;
    const [forAttention, forMemory, ...forRest] = partKeys(key, 6);
    const toSelf = { mask, keyMask, causal, positions, bias, returnWeights, ...forAttention };
    const toMemory = { memory, mask: memoryMask, keyMask: memoryKeyMask, returnWeights, ...forMemory };
    return tf.tidy(() => {
      const weights: Partial<DecoderLayerWeights> = {};
      const attend = (part: keyof DecoderLayerWeights, result: ReturnType<MultiHeadAttention['forward']>) => {
        const found = withWeights(result);
        if (found.weights) weights[part] = found.weights;
        return found.output;
      };
      const output = this.#around(
        x,
        (x) => attend('self', this.self_attn.forward(x, toSelf)),
        (x) => attend('cross', this.multihead_attn.forward(x, toMemory)),
        forRest,
      );
      const { self, cross } = weights;
      return self && cross ? { output, weights: { self, cross } } : output;
    });
  }

  /** New tokens `[batch · beams, new, dim]`, with the past in `cache`. See `TransformerDecoder.step`. */
  step(
    x: tf.Tensor,
    {
      memory,
      memoryKeyMask,
      cache,
    }: { memory: KeyValues; memoryKeyMask?: tf.Tensor | undefined; cache: KeyValues },
    position: tf.Scalar,
    { positions, bias }: Pick<DecoderOptions, 'positions' | 'bias'> = {},
  ): { output: tf.Tensor; cache: KeyValues } {
    return tf.tidy(() => {
      let next = cache;
      const output = this.#around(
        x,
        (x) => {
          const stepped = this.self_attn.step(x, cache, position, { positions, bias });
          next = stepped.cache;
          return stepped.output;
        },
        (x) => {
          // Beams of one source are queries to the same memory, which need not be repeated for them.
          const together = tf.reshape(x, [memory.keys.shape[0]!, -1, x.shape[2]!]); // (B, beams · new, dim)
          const attended = this.multihead_attn.attend(together, memory, { keyMask: memoryKeyMask });
          return tf.reshape(attended, x.shape);
        },
        partKeys(undefined, 4),
      );
      return { output, cache: next };
    });
  }

  /** The three parts with their residuals. No `tidy` of its own: it would dispose the cache that `step` makes inside. */
  #around(
    x: tf.Tensor,
    toSelf: (x: tf.Tensor) => tf.Tensor,
    toMemory: (x: tf.Tensor) => tf.Tensor,
    [forFirst, forSecond, forHidden, forThird]: ForwardContext[],
  ): tf.Tensor {
    const self = this.#residual(x, this.norm1, (x) => this.dropout1.forward(toSelf(x), forFirst));
    const both = this.#residual(self, this.norm2, (x) => this.dropout2.forward(toMemory(x), forSecond));
    return this.#residual(both, this.norm3, (x) =>
      this.dropout3.forward(this.#feedForward.forward(x, forHidden), forThird),
    );
  }
}

/** Decoder layers one after the other, and a normalization at the end if there is one: `torch.nn.TransformerDecoder`. */
export class TransformerDecoder extends Module {
  readonly layers: readonly TransformerDecoderLayer[];
  readonly norm: Layer | null;

  constructor(layers: readonly TransformerDecoderLayer[], norm: Layer | null = null) {
    super();
    checkArgument(layers.length > 0, 'TransformerDecoder', 'layers', 'at least one layer', layers);
    this.layers = [...layers];
    this.norm = norm;
  }

  /**
   * @param x `[batch, seq, dim]`: embeddings with their positions.
   * @param memory `[batch, memoryLength, memoryDim]`.
   * @returns the shape of `x`, or with `returnWeights` that and the weights of all layers. The caller owns it.
   */
  forward(x: tf.Tensor, memory: tf.Tensor, options: DecoderOptions & { returnWeights: true }): DecoderWeights;
  forward(x: tf.Tensor, memory: tf.Tensor, options?: DecoderOptions & { returnWeights?: false }): tf.Tensor;
  forward(
    x: tf.Tensor,
    memory: tf.Tensor,
    options: DecoderOptions & { returnWeights?: boolean } = {},
  ): tf.Tensor | DecoderWeights {
    const { key, positions, returnWeights } = options;
    const fn = 'TransformerDecoder.forward';
    checkSequence(fn, 'x', x, this.layers[0]!.self_attn.dim);
    checkMemory(fn, memory, x);
    const [batch, seq] = x.shape as [number, number];
    checkKeyMask(fn, 'options.keyMask', options.keyMask, [batch, seq]);
    checkKeyMask(fn, 'options.memoryKeyMask', options.memoryKeyMask, [batch, memory.shape[1]!]);
    return tf.tidy(() => {
      const bias = options.bias ?? positions?.bias(seq, seq) ?? null; // one for all layers
      const weights: DecoderLayerWeights[] = [];
      const last = this.layers.reduce((x, layer, i) => {
        const found = layer.forward(x, memory, { ...options, bias, ...(key && { key: key.fold(i) }) });
        if (found instanceof tf.Tensor) return found;
        weights.push(found.weights);
        return found.output;
      }, x);
      const output = this.norm ? this.norm.forward(last) : last;
      return returnWeights ? { output, weights } : output;
    });
  }

  /**
   * What decoding token by token starts with.
   * @param memory `[batch, memoryLength, memoryDim]`.
   * @param options `length`: places in the cache; `beams` per sequence of the batch, default 1.
   * @returns a state that the caller owns; `memoryKeyMask` is in it as it came.
   */
  start(
    memory: tf.Tensor,
    options: { length: number; beams?: number; memoryKeyMask?: tf.Tensor | undefined },
  ): DecoderState {
    const { length, beams = 1, memoryKeyMask } = options;
    const fn = 'TransformerDecoder.start';
    checkCount(fn, 'options.length', length);
    checkCount(fn, 'options.beams', beams);
    const [batch, memoryLength] = memory.shape as [number, number];
    checkKeyMask(fn, 'options.memoryKeyMask', memoryKeyMask, [batch, memoryLength]);
    const rows = batch * beams;
    return {
      memory: this.layers.map((layer) => layer.multihead_attn.keyValues(memory)),
      memoryKeyMask,
      cache: this.layers.map((layer) => layer.self_attn.emptyCache(rows, length)),
    };
  }

  /**
   * The next tokens: the same as `forward` of the whole sequence would give there. In evaluation, without dropout.
   *
   * @param x `[batch · beams, new, dim]`: embeddings of the new tokens with their positions.
   * @param state from `start` or the last step; not disposed.
   * @param position int32 scalar: place of the first new token.
   * @returns the output `[batch · beams, new, dim]` and the new cache. The caller owns both.
   */
  step(
    x: tf.Tensor,
    state: DecoderState,
    position: tf.Scalar,
    { positions }: Pick<DecoderOptions, 'positions'> = {},
  ): { output: tf.Tensor; cache: KeyValues[] } {
    const fn = 'TransformerDecoder.step';
    checkSequence(fn, 'x', x, this.layers[0]!.self_attn.dim);
    for (const name of ['memory', 'cache'] as const) {
      const [expected, got] = [this.layers.length, state[name].length];
      checkArgument(expected === got, fn, `state.${name}`, `one of each of the ${expected} layers`, got);
    }
    const rows = state.memory[0]!.keys.shape[0]!;
    checkArgument(x.shape[0]! % rows === 0, fn, 'x', `a multiple of the memory's ${rows} sequences`, x.shape);
    checkPosition(fn, position, x.shape[1]!, state.cache[0]!.keys.shape[2]!);
    return tf.tidy(() => {
      const [fresh, length] = [x.shape[1]!, state.cache[0]!.keys.shape[2]!];
      const at = tf.add(positionsOf(fresh), position) as tf.Tensor1D;
      const bias = positions?.bias(fresh, length, { at, length }) ?? null;
      const cache: KeyValues[] = [];
      const last = this.layers.reduce((x, layer, i) => {
        const { memoryKeyMask } = state;
        const own = { memory: state.memory[i]!, memoryKeyMask, cache: state.cache[i]! };
        const stepped = layer.step(x, own, position, { positions, bias });
        cache.push(stepped.cache);
        return stepped.output;
      }, x);
      return { output: this.norm ? this.norm.forward(last) : last, cache };
    });
  }
}
