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
import { ResidualAttentionBlocks } from './blocks';
import { imageInit } from './init';
import { patchDropout } from './patch-dropout';
import { checkPixels, embedPatches } from './patches';
import { patchCount } from './positions';
import type { ImageTower, TowerOptions } from './tower';

/**
 * CLIP's image tower: a Vision Transformer (Dosovitskiy et al., 2021) with a normalization before its blocks, read at
 * its class token. Names and first values are open_clip's: `conv1`, `class_embedding`, `positional_embedding`,
 * `ln_pre`, `transformer`, `ln_post`, `proj`.
 */
export class VisionTransformer extends Module implements ImageTower {
  readonly class_embedding: Parameter<tf.Rank.R1>;
  /** `[1 + patches, dim]`: the class token's first. */
  readonly positional_embedding: Parameter<tf.Rank.R2>;
  /** `[dim, embedDim]`. */
  readonly proj: Parameter<tf.Rank.R2>;
  readonly conv1: Conv2d;
  readonly ln_pre: LayerNorm;
  readonly transformer: ResidualAttentionBlocks;
  readonly ln_post: LayerNorm;
  readonly config: ResolvedImageTower;

  constructor(config: ResolvedImageTower, embedDim: number, { key, init = imageInit }: TowerOptions) {
    super();
    const { dim, patchSize: size, normEps: eps } = config;
    const [forClass, forPositions, forProjection, forPatches, forBlocks] = key.split(5) as FiveKeys;
    const fresh = (key: Key, shape: number[]) => init.normal(dim ** -0.5)(key, shape, { in: dim, out: dim });
    this.class_embedding = parameter(fresh(forClass, [dim]) as tf.Tensor1D);
    this.positional_embedding = parameter(fresh(forPositions, [1 + patchCount(config), dim]) as tf.Tensor2D);
    this.proj = parameter(fresh(forProjection, [dim, embedDim]) as tf.Tensor2D);
    const patches = { kernelSize: size, stride: size, bias: false, init: init.patches };
    this.conv1 = new Conv2d(3, dim, { ...patches, key: forPatches });
    this.ln_pre = new LayerNorm(dim, { eps });
    this.transformer = new ResidualAttentionBlocks(config, { key: forBlocks, init: init.block });
    this.ln_post = new LayerNorm(dim, { eps });
    this.config = config;
  }

  forward(pixels: tf.Tensor4D, context: ForwardContext = {}): tf.Tensor2D {
    return tf.tidy(() => {
      const { dim } = this.config;
      const features = this.features(pixels, context);
      const first = tf.reshape(tf.slice(features, [0, 0, 0], [-1, 1, -1]), [-1, dim]); // (B, D)
      return tf.matMul(this.ln_post.forward(first) as tf.Tensor2D, this.proj);
    });
  }

  features(pixels: tf.Tensor4D, { key }: ForwardContext = {}): tf.Tensor3D {
    const { dim, imageSize, patchSize, patchDropout: rate } = this.config;
    checkPixels('VisionTransformer.forward', pixels, imageSize);
    return tf.tidy(() => {
      const patches = embedPatches(pixels, this.conv1, patchSize); // (B, P, D)
      const first = tf.tile(tf.reshape(this.class_embedding, [1, 1, dim]), [pixels.shape[0], 1, 1]);
      const placed = tf.add(tf.concat([first, patches], 1), this.positional_embedding) as tf.Tensor3D;
      const kept = this.training ? patchDropout(placed, { rate, keep: 1, key }) : placed;
      return this.transformer.forward(this.ln_pre.forward(kept)) as tf.Tensor3D;
    });
  }
}

type FiveKeys = [Key, Key, Key, Key, Key];
