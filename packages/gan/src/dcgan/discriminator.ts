import { Conv2d, checkArgument, type Key, type Layer, LeakyReLU, Module, Sequential } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { assertSize, checkConfig, type DCGANConfig, featuresOf, shrunk, stagesOf } from './config';
import { batchNorm, convolutionInit } from './initial';

/**
 * Discriminator of a DCGAN (Radford et al. 2016): from a picture to one logit, by strided convolutions with LeakyReLU
 * of slope 0.2 and, but for the first and the last, batch normalization. No biases.
 *
 * The logit is the network's result; the probability is `probability()`. PyTorch's tutorial ends with a sigmoid inside
 * the network, which the logarithm of the loss then has to undo, at the cost of vanishing gradients.
 */
export class DCGANDiscriminator extends Module {
  readonly model: Sequential;
  readonly config: Required<DCGANConfig>;

  constructor(config: DCGANConfig, { key }: { key: Key }) {
    super();
    this.config = checkConfig(config);
    const { size, channels } = this.config;
    const stages = stagesOf(size).reverse();
    const features = [channels, ...featuresOf(this.config).reverse(), 1];
    const layers: Layer[] = [];
    for (const [i, stage] of stages.entries()) {
      const [from, to] = [features[i]!, features[i + 1]!];
      const options = { ...stage, bias: false, init: convolutionInit, key: key.fold(layers.length) };
      layers.push(new Conv2d(from, to, options));
      if (i === stages.length - 1) break;
      if (i > 0) layers.push(batchNorm(to, key.fold(layers.length)));
      layers.push(new LeakyReLU(0.2));
    }
    assertSize('DCGANDiscriminator', stages.reduce(shrunk, size), 1);
    this.model = new Sequential(layers);
  }

  /**
   * @param images `[batch, size, size, channels]` in [-1, 1].
   * @returns Logits `[batch]`: positive for "real". Owned by the caller.
   */
  forward(images: tf.Tensor): tf.Tensor1D {
    const { size, channels } = this.config;
    const [, height, width, depth] = images.shape;
    const fits = images.rank === 4 && height === size && width === size && depth === channels;
    const expected = `[batch, ${size}, ${size}, ${channels}]`;
    checkArgument(fits, 'DCGANDiscriminator.forward', 'images', expected, images.shape);
    return tf.tidy(() => tf.reshape(this.model.forward(images), [-1]) as tf.Tensor1D); // (B, 1, 1, 1) to (B)
  }

  /** How probable it is that each picture is real: `[batch]` in [0, 1], owned by the caller. Not for losses. */
  probability(images: tf.Tensor): tf.Tensor1D {
    return tf.tidy(() => tf.sigmoid(this.forward(images)) as tf.Tensor1D);
  }
}
