import {
  Embedding,
  type ForwardContext,
  type Key,
  LayerNorm,
  Linear,
  Module,
  type Parameter,
  parameter,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import type { ResolvedTextTower } from '../config';
import { ResidualAttentionBlocks } from './blocks';
import { siglipInit } from './init';
import { checkTokens, embedTokens } from './tokens';
import type { TextTower, TowerOptions } from './tower';

/**
 * SigLIP's text tower (Zhai et al., 2023): a Transformer that sees the whole text, padding too, and is read at its last
 * place; so texts are filled up to the context as they were in training. Names as in `TextTransformer`.
 */
export class SiglipTextTransformer extends Module implements TextTower {
  readonly positional_embedding: Parameter<tf.Rank.R2>;
  readonly transformer: ResidualAttentionBlocks;
  readonly token_embedding: Embedding;
  readonly ln_final: LayerNorm;
  readonly text_projection: Linear;
  readonly config: ResolvedTextTower;

  constructor(
    config: ResolvedTextTower,
    embedDim: number,
    { key, init = siglipInit(config.dim) }: TowerOptions,
  ) {
    super();
    const { dim, vocabSize, contextLength, normEps: eps } = config;
    const [forTokens, forPositions, forBlocks, forProjection] = key.split(4) as [Key, Key, Key, Key];
    const normal = init.normal(dim ** -0.5);
    const positions = normal(forPositions, [contextLength, dim], { in: dim, out: dim });
    this.positional_embedding = parameter(positions as tf.Tensor2D);
    this.transformer = new ResidualAttentionBlocks(config, { key: forBlocks, init: init.block });
    this.token_embedding = new Embedding(vocabSize, dim, { key: forTokens, init: normal });
    this.ln_final = new LayerNorm(dim, { eps });
    this.text_projection = new Linear(dim, embedDim, { key: forProjection, init: normal });
    tf.tidy(() => this.text_projection.bias?.assign(tf.zeros([embedDim])));
    this.config = config;
  }

  forward(tokens: tf.Tensor2D, context: ForwardContext = {}): tf.Tensor2D {
    return tf.tidy(() => {
      const features = this.features(tokens, context);
      const [, seq, dim] = features.shape;
      const last = tf.reshape(tf.slice(features, [0, seq - 1, 0], [-1, 1, -1]), [-1, dim]); // (B, D)
      return this.text_projection.forward(last) as tf.Tensor2D;
    });
  }

  features(tokens: tf.Tensor2D, context: ForwardContext = {}): tf.Tensor3D {
    checkTokens('SiglipTextTransformer.forward', tokens, this.config);
    return tf.tidy(() => {
      const embedded = embedTokens(tokens, this.token_embedding, this.positional_embedding);
      return this.ln_final.forward(this.transformer.forward(embedded, context)) as tf.Tensor3D;
    });
  }
}
