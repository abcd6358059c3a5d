import {
  Conv2d,
  type ForwardContext,
  type Key,
  LayerNorm,
  Module,
  type Parameter,
  parameter,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import type { ResolvedImageTower } from '../config';
import { AttentionPool } from './attention-pool';
import { ResidualAttentionBlocks } from './blocks';
import { siglipInit } from './init';
import { patchDropout } from './patch-dropout';
import { checkPixels, embedPatches } from './patches';
import { patchCount } from './positions';
import type { ImageTower, TowerOptions } from './tower';

/**
 * SigLIP's image tower (Zhai et al., 2023): a Vision Transformer without class token, whose patches a learned query
 * attends to. No projection follows. Names as in `VisionTransformer`, and `attn_pool`.
 */
export class SiglipVisionTransformer extends Module implements ImageTower {
  /** `[patches, dim]`. */
  readonly positional_embedding: Parameter<tf.Rank.R2>;
  readonly conv1: Conv2d;
  readonly transformer: ResidualAttentionBlocks;
  readonly ln_post: LayerNorm;
  readonly attn_pool: AttentionPool;
  readonly config: ResolvedImageTower;

  constructor(config: ResolvedImageTower, { key, init = siglipInit(config.dim) }: TowerOptions) {
    super();
    const { dim, patchSize: size, normEps: eps } = config;
    const [forPositions, forPatches, forBlocks, forPool] = key.split(4) as [Key, Key, Key, Key];
    const shape = [patchCount(config), dim];
    const positions = init.normal(dim ** -0.5)(forPositions, shape, { in: dim, out: dim });
    this.positional_embedding = parameter(positions as tf.Tensor2D);
    this.conv1 = new Conv2d(3, dim, { kernelSize: size, stride: size, init: init.patches, key: forPatches });
    this.transformer = new ResidualAttentionBlocks(config, { key: forBlocks, init: init.block });
    this.ln_post = new LayerNorm(dim, { eps });
    this.attn_pool = new AttentionPool(config, { key: forPool, init });
    this.config = config;
  }

  forward(pixels: tf.Tensor4D, context: ForwardContext = {}): tf.Tensor2D {
    return tf.tidy(() => this.attn_pool.forward(this.features(pixels, context)));
  }

  features(pixels: tf.Tensor4D, { key }: ForwardContext = {}): tf.Tensor3D {
    const { imageSize, patchSize, patchDropout: rate } = this.config;
    checkPixels('SiglipVisionTransformer.forward', pixels, imageSize);
    return tf.tidy(() => {
      const patches = embedPatches(pixels, this.conv1, patchSize); // (B, P, D)
      const placed = tf.add(patches, this.positional_embedding) as tf.Tensor3D;
      const kept = this.training ? patchDropout(placed, { rate, key }) : placed;
      return this.ln_post.forward(this.transformer.forward(kept)) as tf.Tensor3D;
    });
  }
}
