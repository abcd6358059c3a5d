import { FeedForward, MultiHeadAttention } from '@poiesis/attention';
import { type Key, Layer, LayerNorm, type Module, type Parameter, parameter } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import type { TowerConfig } from '../config';
import { activations } from './activation';
import type { TowerInit } from './init';

/**
 * A learned query that attends to all tokens, and a feed-forward part on what it found: the head of SigLIP's image
 * tower (Zhai et al., 2022, "Scaling Vision Transformers"). `[batch, tokens, dim]` → `[batch, dim]`.
 *
 * Names are Hugging Face's: `probe [1, 1, dim]`, `attention`, `layernorm`, `mlp.fc1`, `mlp.fc2`.
 */
export class AttentionPool extends Layer {
  readonly probe: Parameter<tf.Rank.R3>;
  readonly attention: MultiHeadAttention;
  readonly layernorm: LayerNorm;
  readonly #mlp: FeedForward;

  constructor(config: Required<TowerConfig>, { key, init }: { key: Key; init: TowerInit }) {
    super();
    const { dim, heads, hidden, activation, normEps: eps } = config;
    const [forProbe, forAttention, forFeed] = key.split(3) as [Key, Key, Key];
    const { inProjection, outProjection, hidden: matrices } = init.block;
    const first = init.normal(dim ** -0.5)(forProbe, [1, 1, dim], { in: dim, out: dim });
    this.probe = parameter(first as tf.Tensor3D);
    this.attention = new MultiHeadAttention(dim, heads, {
      key: forAttention,
      init: inProjection,
      outInit: outProjection,
    });
    this.layernorm = new LayerNorm(dim, { eps });
    this.#mlp = new FeedForward(dim, hidden, {
      key: forFeed,
      activation: activations[activation],
      init: matrices,
    });
  }

  override *children(): Iterable<[name: string, module: Module]> {
    yield ['attention', this.attention];
    yield ['layernorm', this.layernorm];
    yield ['mlp.fc1', this.#mlp.linear1];
    yield ['mlp.fc2', this.#mlp.linear2];
  }

  override forward(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => {
      const [batch, , dim] = x.shape as [number, number, number];
      const query = tf.tile(this.probe, [batch, 1, 1]);
      const found = this.attention.forward(query, { memory: x }); // (B, 1, D)
      const added = this.#mlp.forward(this.layernorm.forward(found));
      return tf.reshape(tf.add(found, added), [batch, dim]) as tf.Tensor2D;
    });
  }
}
