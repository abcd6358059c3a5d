import {
  checkArgument,
  type Ema,
  type EmaOptions,
  ema,
  type Key,
  type Optimizer,
  type TrainStep,
  valueAndGrad,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Gan } from './gan';
import type { GanObjective } from './objectives';
import { outsideTape } from './outside-tape';

export interface GanStepOptions {
  objective: GanObjective;
  /** Called twice: each network has an optimizer of its own. */
  optimizer: (network: 'generator' | 'discriminator') => Optimizer;
  /** Keeps an average of the generator's weights beside them: `true`, or its options. Default: none. */
  ema?: boolean | EmaOptions;
}

/** Real pictures, alone or as the `image` of a record, as the readers of datasets give them. */
export type GanBatch = tf.Tensor | { readonly image: tf.Tensor };

export interface GanStep extends TrainStep<GanBatch> {
  /** The average of the generator's weights, where one is kept: `model.sample(16, { seed: 7, average: step.ema })`. */
  readonly ema: Ema | undefined;
}

/**
 * One update of the discriminator, then one of the generator (Goodfellow et al. 2014, algorithm 1 with k = 1).
 *
 * Both use the same fakes, and the generator makes them once: its update differentiates the very pass whose pictures
 * the discriminator was updated with. Batch statistics of the discriminator go as in PyTorch's tutorial: real, fake,
 * and fake once more after its update.
 *
 * The losses are `discriminator` and `generator`. Keep both networks in training mode.
 */
export function ganStep(model: Gan, { objective, optimizer, ema: average = false }: GanStepOptions): GanStep {
  const { generator, discriminator } = model;
  const optimizers = { generator: optimizer('generator'), discriminator: optimizer('discriminator') };
  checkArgument(
    optimizers.generator !== optimizers.discriminator,
    'ganStep',
    'options.optimizer',
    'a function that makes a new optimizer at each call',
    'the same one twice',
  );
  const averages = average ? ema(generator, average === true ? {} : average) : undefined;

  function updateDiscriminator(real: tf.Tensor, fake: tf.Tensor): tf.Scalar {
    const parameters = discriminator.trainableParameters();
    const { value, grads } = valueAndGrad(() => {
      const onReal = discriminator.forward(real);
      const onFake = discriminator.forward(fake);
      return objective.discriminator(onReal, onFake);
    }, parameters);
    optimizers.discriminator.step(parameters, grads);
    return value;
  }

  return {
    ema: averages,
    state: {
      generator,
      discriminator,
      generatorOptimizer: optimizers.generator,
      discriminatorOptimizer: optimizers.discriminator,
      ...(averages && { ema: averages }),
    },
    run(batch: GanBatch, key: Key) {
      const real = imagesOf(batch);
      const z = model.latents(real.shape[0]!, key);
      const parameters = generator.trainableParameters();
      const { value, grads } = valueAndGrad(() => {
        const fake = generator.forward(z);
        // In the middle of the generator's pass, and no part of it: there `fake` is a constant.
        const loss = outsideTape(() => updateDiscriminator(real, fake));
        return { loss: objective.generator(discriminator.forward(fake)), discriminator: loss };
      }, parameters);
      optimizers.generator.step(parameters, grads);
      averages?.update();
      return { discriminator: value.discriminator, generator: value.loss };
    },
  };
}

function imagesOf(batch: GanBatch): tf.Tensor {
  const images = batch instanceof tf.Tensor ? batch : batch?.image;
  checkArgument(
    images instanceof tf.Tensor,
    'ganStep.run',
    'batch',
    'pictures, or a record with `image`',
    batch,
  );
  return images;
}
