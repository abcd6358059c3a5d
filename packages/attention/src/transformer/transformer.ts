import {
  checkArgument,
  Dropout,
  type ForwardContext,
  type Key,
  Module,
  randomKey,
  xavierUniform,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { paddingMask } from '../attention';
import { transformerDecoder, transformerEncoder } from '../nn/build';
import type { KeyValues } from '../nn/cache';
import { checkPosition } from '../nn/check';
import type { DecoderState, TransformerDecoder } from '../nn/decoder';
import type { TransformerEncoder } from '../nn/encoder';
import { type Place, type Positions, positionsOf } from '../positions/positions';
import { checkConfig, makeEmbedding, type TokenEmbedding, type TransformerConfig } from './config';
import { OutputProjection } from './output-projection';
import { type Tokens, tokenTensor } from './tokens';

/** Who looks at whom: of each layer, the weights of all heads, `[batch, heads, queries, keys]`. */
export type AttentionWeights = {
  /** From source to source. */
  encoder: tf.Tensor[];
  /** From target to target. */
  decoder: tf.Tensor[];
  /** From target to source. */
  cross: tf.Tensor[];
};

/**
 * The Transformer of Vaswani et al., "Attention Is All You Need" (2017): tokens in, logits out.
 *
 * `new Transformer({ sourceVocab: 30, targetVocab: 42, dim: 256, heads: 4, layers: 3 }, { seed: 1 })`. `encoder` and
 * `decoder` are those of `torch.nn.Transformer`, under its names, so that its state dict loads with `strict: false`.
 * Beside them stand `source_embedding`, `target_embedding`, `source_positions`, `target_positions` and `output`.
 *
 * Embeddings start at N(0, 1/dim), for a deviation of 1 after their factor √dim; matrices of encoder and decoder
 * Glorot-uniform, as in `torch.nn.Transformer`.
 */
export class Transformer extends Module {
  readonly source_embedding: TokenEmbedding;
  readonly target_embedding: TokenEmbedding;
  readonly source_positions: Positions;
  readonly target_positions: Positions;
  readonly dropout: Dropout;
  readonly encoder: TransformerEncoder;
  readonly decoder: TransformerDecoder;
  readonly output: OutputProjection;
  readonly #config: ReturnType<typeof checkConfig>;

  constructor(config: TransformerConfig, { seed }: { seed: number }) {
    super();
    this.#config = checkConfig(config);
    const { sourceVocab, targetVocab, dim, layers, norm, tied, embeddings, positions, ...rest } =
      this.#config;
    const keys = randomKey(seed).split(9) as [Key, Key, Key, Key, Key, Key, Key, Key, Key];
    const place = (side: 'source' | 'target', key: Key) =>
      positions({ side, dim, heads: rest.heads, maxLength: rest.maxLength, key });
    const one = tied === 'all';
    const embed = (side: 'source' | 'target', vocab: number, key: Key) =>
      makeEmbedding(
        embeddings,
        { side, vocab, dim, key },
        { tied: side === 'source' ? one : tied !== 'none' },
      );
    this.source_embedding = embed('source', sourceVocab, keys[0]);
    this.target_embedding = one ? this.source_embedding : embed('target', targetVocab, keys[1]);
    this.source_positions = place('source', keys[2]);
    this.target_positions = place('target', keys[3]);
    this.dropout = new Dropout(rest.dropout);
    const stack = { ...rest, dim, norm, finalNorm: norm };
    this.encoder = transformerEncoder({ ...stack, layers: layers.encoder }, { key: keys[4] });
    this.decoder = transformerDecoder({ ...stack, layers: layers.decoder }, { key: keys[5] });
    // As torch.nn.Transformer: the matrices of both stacks anew, whatever their layers started with.
    for (const [i, stack] of [this.encoder, this.decoder].entries()) glorot(stack, keys[7 + i]!);
    const shared = tied === 'none' ? null : this.target_embedding.weight!;
    this.output = new OutputProjection(dim, targetVocab, { key: keys[6], tied: shared });
  }

  /** The configuration with its defaults. */
  get config(): Required<Pick<TransformerConfig, 'pad' | 'start' | 'end' | 'maxLength'>> & TransformerConfig {
    return this.#config;
  }

  /**
   * Logits of the next token at each place of the target, given the tokens up to there. Figure 1 of the paper.
   *
   * @param source `[batch, sourceLength]`, padded with `config.pad`: which nobody sees.
   * @param target `[batch, targetLength]`, beginning with `config.start`.
   * @returns `[batch, targetLength, targetVocab]`, not probabilities. The caller owns it.
   * @throws ArgumentError for no tokens, tokens out of vocabulary (where they can be seen), and sequences longer than
   *   the positions.
   */
  forward(source: Tokens, target: Tokens, { key }: ForwardContext = {}): tf.Tensor3D {
    const [forEncoder, forDecoder] = key ? key.split(2) : [];
    return tf.tidy(() => {
      const tokens = this.#tokens('Transformer.forward', 'source', source);
      const memory = this.encode(tokens, { key: forEncoder });
      const memoryKeyMask = paddingMask(tokens, this.#config.pad);
      return this.decode(target, memory, { memoryKeyMask, key: forDecoder });
    });
  }

  /** The left half of Figure 1: `[batch, sourceLength]` → `[batch, sourceLength, dim]`. The caller owns the result. */
  encode(source: Tokens, { key }: ForwardContext = {}): tf.Tensor3D {
    const [forEmbedding, forStack] = key ? key.split(2) : [];
    return tf.tidy(() => {
      const tokens = this.#tokens('Transformer.encode', 'source', source);
      const x = this.#embed('source', tokens, { key: forEmbedding });
      const keyMask = paddingMask(tokens, this.#config.pad);
      const positions = this.source_positions;
      return this.encoder.forward(x, { keyMask, positions, key: forStack }) as tf.Tensor3D;
    });
  }

  /** The right half of Figure 1: target tokens and the encoder's result → logits. The caller owns them. */
  decode(
    target: Tokens,
    memory: tf.Tensor,
    { memoryKeyMask, key }: ForwardContext & { memoryKeyMask?: tf.Tensor | null } = {},
  ): tf.Tensor3D {
    const [forEmbedding, forStack] = key ? key.split(2) : [];
    return tf.tidy(() => {
      const tokens = this.#tokens('Transformer.decode', 'target', target);
      const y = this.#embed('target', tokens, { key: forEmbedding });
      const positions = this.target_positions;
      const z = this.decoder.forward(y, memory, { memoryKeyMask, positions, key: forStack });
      return this.output.forward(z) as tf.Tensor3D;
    });
  }

  /**
   * Who looks at whom when it reads `source` and predicts what follows each token of `target`: what heat maps are made
   * of. Rows of padding are in it too. In evaluation.
   *
   * @returns the weights of all heads. The caller owns them.
   */
  attention(source: Tokens, target: Tokens): AttentionWeights {
    const { pad } = this.#config;
    return tf.tidy(() => {
      const from = this.#tokens('Transformer.attention', 'source', source);
      const to = this.#tokens('Transformer.attention', 'target', target);
      const keyMask = paddingMask(from, pad);
      const returnWeights = true;
      const read = this.encoder.forward(this.#embed('source', from, {}), {
        keyMask,
        positions: this.source_positions,
        returnWeights,
      });
      const written = this.decoder.forward(this.#embed('target', to, {}), read.output, {
        memoryKeyMask: keyMask,
        positions: this.target_positions,
        returnWeights,
      });
      return {
        encoder: read.weights,
        decoder: written.weights.map(({ self }) => self),
        cross: written.weights.map(({ cross }) => cross),
      };
    });
  }

  /**
   * What decoding token by token starts with.
   * @param options `length`: most tokens of the target; `beams` of each source, default 1.
   * @returns a state that the caller owns.
   */
  start(source: Tokens, options: { length: number; beams?: number }): DecoderState {
    const { maxLength } = this.#config;
    const { length } = options;
    const ok = Number.isInteger(length) && length >= 1 && length <= maxLength;
    checkArgument(ok, 'Transformer.start', 'options.length', `an integer from 1 to ${maxLength}`, length);
    return tf.tidy(() => {
      const tokens = this.#tokens('Transformer.start', 'source', source);
      const memoryKeyMask = paddingMask(tokens, this.#config.pad);
      return this.decoder.start(this.encode(tokens), { ...options, memoryKeyMask });
    });
  }

  /**
   * Logits after some new tokens, with the past in a cache whose shape stays the same: what `decode` of the whole target
   * gives at these places. In evaluation.
   *
   * @param tokens int32 `[batch · beams, new]`.
   * @param state from `start` or the last step; not disposed.
   * @param position int32 scalar: place of the first new token.
   * @returns `[batch · beams, new, targetVocab]` and the new cache. The caller owns both.
   */
  step(
    tokens: tf.Tensor2D,
    state: DecoderState,
    position: tf.Scalar,
  ): { logits: tf.Tensor3D; cache: KeyValues[] } {
    const fn = 'Transformer.step';
    this.#tokens(fn, 'tokens', tokens);
    checkPosition(fn, position, tokens.shape[1], state.cache[0]!.keys.shape[2]!);
    return tf.tidy(() => {
      const at = tf.add(positionsOf(tokens.shape[1]), position) as tf.Tensor1D;
      const length = state.cache[0]!.keys.shape[2]!;
      const y = this.#embed('target', tokens, {}, { at, length });
      const positions = this.target_positions;
      const { output, cache } = this.decoder.step(y, state, position, { positions });
      return { logits: this.output.forward(output) as tf.Tensor3D, cache };
    });
  }

  /** Tokens of one side as a tensor, checked as far as can be seen without waiting. */
  #tokens(fn: string, argument: 'source' | 'target' | 'tokens', tokens: Tokens): tf.Tensor2D {
    const { pad, maxLength, sourceVocab, targetVocab } = this.#config;
    const vocab = argument === 'source' ? sourceVocab : targetVocab;
    return tokenTensor(fn, argument, tokens, { pad, maxLength, vocab });
  }

  /** `dropout(embedding · √dim + positions)`: sections 3.4, 3.5 and 5.4. */
  #embed(side: 'source' | 'target', tokens: tf.Tensor2D, context: ForwardContext, place?: Place): tf.Tensor {
    const embedding = side === 'source' ? this.source_embedding : this.target_embedding;
    const positions = side === 'source' ? this.source_positions : this.target_positions;
    const { key } = context;
    const embedded = embedding.forward(tokens, key ? { key: key.fold(1) } : {}); // (B, S, dim)
    const scaled = tf.mul(embedded, Math.sqrt(this.#config.dim));
    return this.dropout.forward(positions.embed(scaled, place), context);
  }
}

function glorot(module: Module, key: Key): void {
  for (const [i, weight] of Object.values(module.namedParameters()).entries()) {
    const [out, width] = weight.shape;
    if (weight.rank !== 2) continue;
    tf.tidy(() => weight.assign(xavierUniform()(key.fold(i), weight.shape, { in: width!, out: out! })));
  }
}
