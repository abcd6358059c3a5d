import type { Key, Module } from '@poiesis/core';
import type * as tf from '@tensorflow/tfjs-core';

/** What `ganStep` trains: two networks that do not share weights, and the noise that the first one starts from. */
export interface Gan {
  /** Noise to pictures. */
  readonly generator: Module & { forward(z: tf.Tensor): tf.Tensor };
  /** Pictures to logits `[batch]`, positive for "real". */
  readonly discriminator: Module & { forward(images: tf.Tensor): tf.Tensor };
  /** Noise for `count` pictures. The caller owns it. */
  latents(count: number, key: Key): tf.Tensor;
}
