import { FeedForward, MultiHeadAttention, preNorm, TransformerEncoderLayer } from '@poiesis/attention';
import { type ForwardContext, type Key, Layer, LayerNorm, type Module } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import type { TowerConfig } from '../config';
import { activations } from './activation';
import type { BlockInit } from './init';

export interface BlockOptions extends ForwardContext {
  /** Tokens see only tokens before them, and themselves. Default false. */
  causal?: boolean;
}

/** What OpenAI calls the parts of an encoder layer. */
const NAMES: Readonly<Record<string, string>> = {
  self_attn: 'attn',
  norm1: 'ln_1',
  norm2: 'ln_2',
  linear1: 'mlp.c_fc',
  linear2: 'mlp.c_proj',
};

/** A pre-norm encoder layer of `@poiesis/attention`, under OpenAI's names: `attn`, `ln_1`, `mlp.c_fc`, … */
export class ResidualAttentionBlock extends Layer {
  readonly #layer: TransformerEncoderLayer;

  constructor(config: Required<TowerConfig>, { key, init }: { key: Key; init: BlockInit }) {
    super();
    const { dim, heads, hidden, activation, normEps: eps } = config;
    const [forAttention, forFeed] = key.split(2) as [Key, Key];
    this.#layer = new TransformerEncoderLayer({
      attention: new MultiHeadAttention(dim, heads, {
        key: forAttention,
        init: init.inProjection,
        outInit: init.outProjection,
      }),
      feedForward: new FeedForward(dim, hidden, {
        key: forFeed,
        activation: activations[activation],
        init: init.hidden,
      }),
      norms: [new LayerNorm(dim, { eps }), new LayerNorm(dim, { eps })],
      residual: preNorm,
    });
  }

  override *children(): Iterable<[name: string, module: Module]> {
    for (const [name, module] of this.#layer.children()) yield [NAMES[name] ?? name, module];
  }

  override forward(x: tf.Tensor, options: BlockOptions = {}): tf.Tensor {
    return this.#layer.forward(x, options);
  }
}

/** Blocks one after the other: `resblocks.0.attn.in_proj_weight`, … `[batch, seq, dim]` → the same. */
export class ResidualAttentionBlocks extends Layer {
  readonly resblocks: readonly ResidualAttentionBlock[];

  constructor(config: Required<TowerConfig>, { key, init }: { key: Key; init: BlockInit }) {
    super();
    this.resblocks = Array.from(
      { length: config.layers },
      (_, i) => new ResidualAttentionBlock(config, { key: key.fold(i), init }),
    );
  }

  override forward(x: tf.Tensor, { key, ...options }: BlockOptions = {}): tf.Tensor {
    return tf.tidy(() =>
      this.resblocks.reduce(
        (x, block, i) => block.forward(x, { ...options, ...(key && { key: key.fold(i) }) }),
        x,
      ),
    );
  }
}
