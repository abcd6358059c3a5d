import {
  checkArgument,
  Embedding,
  type ForwardContext,
  type Ids,
  type Key,
  type Module,
  normalInit,
  type Parameter,
} from '@poiesis/core';
import type * as tf from '@tensorflow/tfjs-core';
import { type BlockConfig, layerNorm } from '../nn/build';
import { reluFeedForward } from '../nn/feed-forward';
import { postNorm } from '../nn/residual';
import { type Positions, SinusoidalPositions } from '../positions';

/** Makes the positions of one side. Each side has its own, so that learned ones are not shared. */
export type PositionsMaker = (of: {
  side: 'source' | 'target';
  dim: number;
  heads: number;
  maxLength: number;
  key: Key;
}) => Positions;

/** What a `Transformer` reads tokens with: `Embedding`, or one's own. That of a target must not see later tokens. */
export interface TokenEmbedding extends Module {
  /** A row for each token, `[vocab, dim]`: what the output projection shares, and not needed unless that is tied. */
  readonly weight?: Parameter<tf.Rank.R2>;
  /** int32 `[batch, seq]` → `[batch, seq, dim]`. */
  forward(tokens: Ids, context?: ForwardContext): tf.Tensor;
}

/** Makes the embedding of one side; the source's is that of both where all are tied. */
export type EmbeddingMaker = (of: {
  side: 'source' | 'target';
  vocab: number;
  dim: number;
  key: Key;
}) => TokenEmbedding;

/** Sizes and parts of a `Transformer`. The defaults are those of Vaswani et al. (2017), but for sizes. */
export interface TransformerConfig extends BlockConfig {
  /** Tokens of the source. */
  readonly sourceVocab: number;
  /** Tokens of the target. */
  readonly targetVocab: number;
  /** Layers of the encoder and of the decoder. */
  readonly layers: number | { readonly encoder: number; readonly decoder: number };
  /** Longest source and target. Default 1024. */
  readonly maxLength?: number;
  /** Default: `Embedding`, from N(0, 1/dim). Its results are multiplied by √dim. */
  readonly embeddings?: EmbeddingMaker;
  /** Default: sinusoidal. */
  readonly positions?: PositionsMaker;
  /**
   * Which embeddings are one: `'output'`, the target's and the output projection's; `'all'`, the source's too, which
   * needs one vocabulary for both (section 3.4 of the paper). Default: none.
   */
  readonly tied?: 'none' | 'output' | 'all';
  /** Tokens with a meaning: padding, start and end of a target. Default 0, 1, 2. */
  readonly pad?: number;
  readonly start?: number;
  readonly end?: number;
}

/** Checks a configuration and fills in its defaults. */
export function checkConfig(config: TransformerConfig) {
  const given = typeof config === 'object' && config !== null;
  checkArgument(given, FN, 'config', 'a record with sourceVocab, targetVocab, dim, heads and layers', config);
  const { layers, dim, heads, sourceVocab, targetVocab, maxLength = 1024 } = config;
  const sizes = { dim, heads, sourceVocab, targetVocab, maxLength, hidden: config.hidden ?? 4 * dim };
  for (const [name, size] of Object.entries(sizes)) checkCount(name, size);
  checkArgument(dim % heads === 0, FN, 'config.heads', `a number that divides the width ${dim}`, heads);
  const { encoder, decoder } = typeof layers === 'object' ? layers : { encoder: layers, decoder: layers };
  checkCount('layers', encoder);
  checkCount('layers', decoder);
  const { tied = 'none', dropout = 0.1 } = config;
  const known = tied === 'none' || tied === 'output' || tied === 'all';
  checkArgument(known, FN, 'config.tied', "'none', 'output' or 'all'", tied);
  const one = tied !== 'all' || sourceVocab === targetVocab;
  checkArgument(one, FN, 'config.targetVocab', `${sourceVocab}, as all embeddings are tied`, targetVocab);
  const special = { pad: 0, start: 1, end: 2, ...pick(config) };
  for (const [name, token] of Object.entries(special)) {
    const inside = Number.isInteger(token) && token >= 0 && token < targetVocab;
    checkArgument(inside, FN, `config.${name}`, `a token in [0, ${targetVocab})`, token);
  }
  checkArgument(special.pad < sourceVocab, FN, 'config.pad', `below ${sourceVocab}`, special.pad);
  const { pad, start, end } = special;
  checkArgument(pad !== end && pad !== start, FN, 'config.pad', 'neither start nor end', pad);
  return {
    ...config,
    ...sizes,
    ...special,
    tied,
    dropout,
    layers: { encoder, decoder },
    embeddings: config.embeddings ?? tokenEmbedding,
    positions: config.positions ?? sinusoidalPositions,
    norm: config.norm ?? layerNorm,
    feedForward: config.feedForward ?? reluFeedForward,
    residual: config.residual ?? postNorm,
  } as const;
}

const FN = 'Transformer';

const sinusoidalPositions: PositionsMaker = ({ dim, maxLength }) =>
  new SinusoidalPositions(dim, { maxLength });

const tokenEmbedding: EmbeddingMaker = ({ vocab, dim, key }) =>
  new Embedding(vocab, dim, { key, init: normalInit({ std: dim ** -0.5 }) });

/** Makes the embedding of one side. @throws ArgumentError for a weight of another shape, or none where it is tied. */
export function makeEmbedding(
  maker: EmbeddingMaker,
  of: Parameters<EmbeddingMaker>[0],
  { tied }: { tied: boolean },
): TokenEmbedding {
  const embedding = maker(of);
  const shape = embedding.weight?.shape;
  const fits = shape ? shape[0] === of.vocab && shape[1] === of.dim : !tied;
  checkArgument(fits, FN, `config.embeddings(${of.side})`, `a weight [${of.vocab}, ${of.dim}]`, shape);
  return embedding;
}

/** The special tokens that were given. */
function pick({ pad, start, end }: TransformerConfig): Partial<Record<'pad' | 'start' | 'end', number>> {
  return {
    ...(pad !== undefined && { pad }),
    ...(start !== undefined && { start }),
    ...(end !== undefined && { end }),
  };
}

function checkCount(name: string, value: number): void {
  const ok = Number.isInteger(value) && value >= 1;
  checkArgument(ok, FN, `config.${name}`, 'an integer ≥ 1', value);
}
