import type { ForwardContext, Key, Linear, Module, Parameter } from '@poiesis/core';
import type * as tf from '@tensorflow/tfjs-core';
import type { ResolvedImageTower, ResolvedTextTower } from '../config';
import type { TowerInit } from './init';

/** From pictures to the shared space. */
export interface ImageTower extends Module {
  readonly config: ResolvedImageTower;
  /** `[batch, height, width, 3]` → `[batch, embedDim]`, not normalized. The caller owns the result. */
  forward(pixels: tf.Tensor4D, context?: ForwardContext): tf.Tensor2D;
  /** What the blocks made of class token and patches, before pooling: `[batch, tokens, dim]`. The caller owns it. */
  features(pixels: tf.Tensor4D, context?: ForwardContext): tf.Tensor3D;
}

/** From token numbers to the shared space. */
export interface TextTower extends Module {
  readonly config: ResolvedTextTower;
  /** `[contextLength, dim]`. */
  readonly positional_embedding: Parameter<tf.Rank.R2>;
  /** CLIP's matrix `[dim, embedDim]`, or SigLIP's layer. */
  readonly text_projection: Parameter<tf.Rank.R2> | Linear;
  /** int32 `[batch, seq]` → `[batch, embedDim]`, not normalized. The caller owns the result. */
  forward(tokens: tf.Tensor2D, context?: ForwardContext): tf.Tensor2D;
  /** What the blocks made of the tokens, normalized, before pooling: `[batch, seq, dim]`. The caller owns it. */
  features(tokens: tf.Tensor2D, context?: ForwardContext): tf.Tensor3D;
}

export interface TowerOptions {
  /** Where the first weights come from. */
  key: Key;
  /** Distributions of the first weights. Default: OpenAI's. */
  init?: TowerInit;
}
