import { type Key, type Layer, LayerNorm } from '@poiesis/core';
import { checkCount } from './check';
import { TransformerDecoder, TransformerDecoderLayer } from './decoder';
import { TransformerEncoder, TransformerEncoderLayer } from './encoder';
import { type FeedForwardMaker, reluFeedForward } from './feed-forward';
import { MultiHeadAttention } from './multi-head-attention';
import { postNorm, type Residual } from './residual';

/** Sizes and parts of a block. The defaults are the paper's: Vaswani et al. (2017). */
export interface BlockConfig {
  /** Width. */
  readonly dim: number;
  readonly heads: number;
  /** Heads of keys and values. Default `heads`. */
  readonly kvHeads?: number;
  /** Features inside the feed-forward part. Default `4 · dim`. */
  readonly hidden?: number;
  /** Rate at which results of parts, and hidden features, are dropped in training. Default 0.1. */
  readonly dropout?: number;
  /** Rate at which attention weights are dropped in training. Default: `dropout`, as in PyTorch. */
  readonly attentionDropout?: number;
  /** Biases of projections and feed-forward. Default true. */
  readonly bias?: boolean;
  /** Default: a `LayerNorm`. */
  readonly norm?: (dim: number) => Layer;
  /** Default `reluFeedForward`. */
  readonly feedForward?: FeedForwardMaker;
  /** Default `postNorm`. */
  readonly residual?: Residual;
}

/** Some of them. */
export interface StackConfig extends BlockConfig {
  readonly layers: number;
  /** A normalization after the last layer, which `preNorm` needs. Default: none, as in `torch.nn.TransformerEncoder`. */
  readonly finalNorm?: (dim: number) => Layer;
}

/** Layer normalization: what a block has unless it is given another. */
export const layerNorm = (dim: number): Layer => new LayerNorm(dim);

export function encoderLayer(config: BlockConfig, { key }: { key: Key }): TransformerEncoderLayer {
  const { norm, dim, residual, dropout, attention, feedForward } = partsOf(config);
  const [forAttention, forFeed] = key.split(2) as [Key, Key];
  return new TransformerEncoderLayer({
    attention: attention(forAttention),
    feedForward: feedForward(forFeed),
    norms: [norm(dim), norm(dim)],
    residual,
    dropout,
  });
}

export function decoderLayer(config: BlockConfig, { key }: { key: Key }): TransformerDecoderLayer {
  const { norm, dim, residual, dropout, attention, feedForward } = partsOf(config);
  const [forAttention, forFeed, forCross] = key.split(3) as [Key, Key, Key];
  return new TransformerDecoderLayer({
    attention: attention(forAttention),
    crossAttention: attention(forCross),
    feedForward: feedForward(forFeed),
    norms: [norm(dim), norm(dim), norm(dim)],
    residual,
    dropout,
  });
}

/** An encoder of like layers: `transformerEncoder({ dim: 64, heads: 4, layers: 2 }, { key: randomKey(1) })`. */
export function transformerEncoder(config: StackConfig, { key }: { key: Key }): TransformerEncoder {
  checkCount('transformerEncoder', 'config.layers', config.layers);
  const layers = Array.from({ length: config.layers }, (_, i) => encoderLayer(config, { key: key.fold(i) }));
  return new TransformerEncoder(layers, config.finalNorm?.(config.dim));
}

/** A decoder of like layers. */
export function transformerDecoder(config: StackConfig, { key }: { key: Key }): TransformerDecoder {
  checkCount('transformerDecoder', 'config.layers', config.layers);
  const layers = Array.from({ length: config.layers }, (_, i) => decoderLayer(config, { key: key.fold(i) }));
  return new TransformerDecoder(layers, config.finalNorm?.(config.dim));
}

function partsOf(config: BlockConfig) {
  const { dim, heads, kvHeads = heads, hidden = 4 * dim, dropout = 0.1, bias = true } = config;
  const { norm = layerNorm, feedForward = reluFeedForward, residual = postNorm } = config;
  const { attentionDropout = dropout } = config;
  return {
    dim,
    norm,
    residual,
    dropout,
    attention: (key: Key) =>
      new MultiHeadAttention(dim, heads, { key, kvHeads, dropout: attentionDropout, bias }),
    feedForward: (key: Key) => feedForward(dim, hidden, { key, dropout, bias }),
  };
}
