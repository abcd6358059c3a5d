import {
  ConvTranspose2d,
  checkArgument,
  type Key,
  type Layer,
  Module,
  ReLU,
  Sequential,
  Tanh,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { assertSize, checkConfig, type DCGANConfig, featuresOf, grown, stagesOf } from './config';
import { batchNorm, convolutionInit } from './initial';

/**
 * Generator of a DCGAN (Radford et al. 2016): from `latent` numbers as 1×1 pixels to a picture, by transposed
 * convolutions with batch normalization and ReLU between them and tanh at the end. No biases.
 *
 * For 32×32: 1 → 4 → 8 → 16 → 32 pixels with 256, 128, 64 features. Names are those of the well-known PyTorch module:
 * `model.0.weight`, `model.1.running_mean`, …
 */
export class DCGANGenerator extends Module {
  readonly model: Sequential;
  readonly config: Required<DCGANConfig>;

  constructor(config: DCGANConfig, { key }: { key: Key }) {
    super();
    this.config = checkConfig(config);
    const { size, channels, latent } = this.config;
    const stages = stagesOf(size);
    const features = [latent, ...featuresOf(this.config), channels];
    const layers: Layer[] = [];
    for (const [i, stage] of stages.entries()) {
      const [from, to] = [features[i]!, features[i + 1]!];
      const options = { ...stage, bias: false, init: convolutionInit, key: key.fold(layers.length) };
      layers.push(new ConvTranspose2d(from, to, options));
      if (i < stages.length - 1) layers.push(batchNorm(to, key.fold(layers.length)), new ReLU());
      else layers.push(new Tanh());
    }
    assertSize('DCGANGenerator', stages.reduce(grown, 1), size);
    this.model = new Sequential(layers);
  }

  /**
   * @param z `[batch, latent]`, standard normal.
   * @returns `[batch, size, size, channels]` in [-1, 1], owned by the caller.
   */
  forward(z: tf.Tensor): tf.Tensor4D {
    const { latent, size, channels } = this.config;
    const fits = z.rank === 2 && z.shape[1] === latent;
    checkArgument(fits, 'DCGANGenerator.forward', 'z', `[batch, ${latent}]`, z.shape);
    return tf.tidy(() => {
      const pixel = tf.reshape(z, [-1, 1, 1, latent]); // (B, 1, 1, latent)
      const images = this.model.forward(pixel) as tf.Tensor4D; // (B, size, size, channels)
      assertSize('DCGANGenerator', images.shape[1], size);
      return tf.reshape(images, [-1, size, size, channels]) as tf.Tensor4D;
    });
  }
}
