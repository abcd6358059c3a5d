import { checkArgument, type Ema, type Key, Module, normal, randomKey } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { inEvaluation } from '../evaluation';
import type { Gan } from '../gan';
import type { DCGANConfig } from './config';
import { DCGANDiscriminator } from './discriminator';
import { DCGANGenerator } from './generator';

export interface SampleOptions {
  /** Decides the pictures: the same seed and weights give the same ones. */
  seed: number;
  /** Draws with an average of the generator's weights, `step.ema`, instead of the weights themselves. */
  average?: Ema | undefined;
}

/**
 * A deep convolutional GAN (Radford et al. 2016), layer for layer the well-known one: see `DCGANGenerator` and
 * `DCGANDiscriminator`.
 *
 * `new DCGAN({ size: 32, channels: 1 }, { seed: 1 })`; convolutions start at N(0, 0.02²). PyTorch's weights are loaded
 * into the parts: `model.generator.loadStateDict(…)`.
 */
export class DCGAN extends Module implements Gan {
  readonly generator: DCGANGenerator;
  readonly discriminator: DCGANDiscriminator;

  constructor(config: DCGANConfig, { seed }: { seed: number }) {
    super();
    const [forGenerator, forDiscriminator] = randomKey(seed).split(2);
    this.generator = new DCGANGenerator(config, { key: forGenerator! });
    this.discriminator = new DCGANDiscriminator(config, { key: forDiscriminator! });
  }

  get config(): Required<DCGANConfig> {
    return this.generator.config;
  }

  /** Standard normal noise `[count, latent]` for the generator. The caller owns it. */
  latents(count: number, key: Key): tf.Tensor2D {
    return normal(key, [count, this.config.latent]) as tf.Tensor2D;
  }

  /**
   * Draws pictures, in evaluation mode and without a gradient.
   * @returns `[count, size, size, channels]` in [-1, 1]. The caller owns them (`imageGrid` takes them over).
   */
  sample(count: number, { seed, average }: SampleOptions): tf.Tensor4D {
    checkArgument(Number.isInteger(count) && count >= 1, 'DCGAN.sample', 'count', 'an integer ≥ 1', count);
    const draw = () =>
      inEvaluation(this.generator, () =>
        tf.tidy(() => this.generator.forward(this.latents(count, randomKey(seed)))),
      );
    return average ? average.apply(draw) : draw();
  }
}
