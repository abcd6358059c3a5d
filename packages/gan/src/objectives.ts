import { bceWithLogits, checkArgument } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** What the two networks minimize, as functions of the discriminator's logits. The caller owns the results. */
export interface GanObjective {
  /** @param real Logits of real pictures, `[batch]`. @param fake Logits of generated ones. */
  discriminator(real: tf.Tensor, fake: tf.Tensor): tf.Scalar;
  generator(fake: tf.Tensor): tf.Scalar;
}

export interface LogLikelihoodOptions {
  /**
   * One-sided label smoothing (Salimans et al. 2016, section 3.4): the discriminator is to say 1 − smoothing of real
   * pictures, so that it does not become too sure. Fakes stay at 0. Default 0.
   */
  smoothing?: number;
}

/**
 * The loss that GANs are trained with in practice (Goodfellow et al. 2014, end of section 3): the discriminator
 * minimizes `−log D(x) − log(1 − D(G(z)))`, the generator `−log D(G(z))`, whose gradient is strong just where the
 * discriminator is sure. Computed on logits: a sigmoid and a logarithm would overflow.
 */
export function nonSaturating(options: LogLikelihoodOptions = {}): GanObjective {
  return { discriminator: logLikelihood('nonSaturating', options), generator: (fake) => loss(fake, 1) };
}

/**
 * The game of the paper's equation 1: as `nonSaturating()` for the discriminator, while the generator minimizes
 * `log(1 − D(G(z)))`, whose gradient vanishes where the discriminator is sure. For study.
 */
export function minimax(options: LogLikelihoodOptions = {}): GanObjective {
  return {
    discriminator: logLikelihood('minimax', options),
    generator: (fake) => tf.tidy(() => tf.neg(loss(fake, 0)) as tf.Scalar),
  };
}

function logLikelihood(fn: string, { smoothing = 0 }: LogLikelihoodOptions): GanObjective['discriminator'] {
  checkArgument(smoothing >= 0 && smoothing < 1, fn, 'options.smoothing', 'a number in [0, 1)', smoothing);
  return (real, fake) => tf.tidy(() => tf.add(loss(real, 1 - smoothing), loss(fake, 0)) as tf.Scalar);
}

function loss(logits: tf.Tensor, target: number): tf.Scalar {
  return tf.tidy(() => bceWithLogits(logits, tf.fill(logits.shape, target)) as tf.Scalar);
}
