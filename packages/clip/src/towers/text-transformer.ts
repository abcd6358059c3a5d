import {
  Embedding,
  type ForwardContext,
  type Key,
  LayerNorm,
  Module,
  type Parameter,
  parameter,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import type { ResolvedTextTower } from '../config';
import { ResidualAttentionBlocks } from './blocks';
import { textInit } from './init';
import { checkHasToken, poolAtToken } from './pool';
import { checkTokens, embedTokens } from './tokens';
import type { TextTower, TowerOptions } from './tower';

/**
 * CLIP's text tower: a causal Transformer, read at the end-of-text token. Names and first values are open_clip's:
 * `token_embedding`, `positional_embedding`, `transformer`, `ln_final`, `text_projection`.
 *
 * Texts may be shorter than the context. What stands behind the end token changes nothing.
 */
export class TextTransformer extends Module implements TextTower {
  readonly positional_embedding: Parameter<tf.Rank.R2>;
  readonly text_projection: Parameter<tf.Rank.R2>;
  readonly transformer: ResidualAttentionBlocks;
  readonly token_embedding: Embedding;
  readonly ln_final: LayerNorm;
  readonly config: ResolvedTextTower;

  constructor(config: ResolvedTextTower, embedDim: number, { key, init }: TowerOptions) {
    super();
    const { dim, layers, vocabSize, contextLength, normEps: eps } = config;
    const { normal, block } = init ?? textInit(dim, layers);
    const [forTokens, forPositions, forBlocks, forProjection] = key.split(4) as [Key, Key, Key, Key];
    const fresh = (key: Key, shape: number[], deviation: number) =>
      parameter(normal(deviation)(key, shape, { in: dim, out: dim }) as tf.Tensor2D);
    this.positional_embedding = fresh(forPositions, [contextLength, dim], 0.01);
    this.text_projection = fresh(forProjection, [dim, embedDim], dim ** -0.5);
    this.transformer = new ResidualAttentionBlocks(config, { key: forBlocks, init: block });
    this.token_embedding = new Embedding(vocabSize, dim, { key: forTokens, init: normal(0.02) });
    this.ln_final = new LayerNorm(dim, { eps });
    this.config = config;
  }

  forward(tokens: tf.Tensor2D, context: ForwardContext = {}): tf.Tensor2D {
    checkTokens('TextTransformer.forward', tokens, this.config);
    checkHasToken('TextTransformer.forward', tokens, this.config.endToken);
    return tf.tidy(() => {
      const pooled = poolAtToken(this.features(tokens, context), tokens, this.config.endToken);
      return tf.matMul(pooled, this.text_projection);
    });
  }

  features(tokens: tf.Tensor2D, context: ForwardContext = {}): tf.Tensor3D {
    checkTokens('TextTransformer.features', tokens, this.config);
    return tf.tidy(() => {
      const embedded = embedTokens(tokens, this.token_embedding, this.positional_embedding); // (B, S, D)
      const last = this.transformer.forward(embedded, { ...context, causal: true });
      return this.ln_final.forward(last) as tf.Tensor3D;
    });
  }
}
