// The numbers of PyTorch: fixtures/dcgan.py.
import { fileURLToPath } from 'node:url';
import { adam, randomKey, sgd, valueAndGrad } from '@poiesis/core';
import { readSafetensors } from '@poiesis/core/node';
import { hashed, loadFixture } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { DCGAN, type DCGANConfig, type Gan, ganStep, nonSaturating } from '../src';
import {
  expectAllSampled,
  expectSampled,
  fill,
  type Sampled,
  type Seen,
  seen,
  seenState,
  watched,
} from './torch';

interface ForwardCase {
  config: Required<DCGANConfig>;
  scale: number;
  batch: number;
  evaluated: { images: Sampled; logits: Sampled };
  trained: { images: Sampled; logits: Sampled };
  gradients?: { generator: Record<string, Sampled>; discriminator: Record<string, Sampled>; real: Sampled };
}

interface StepCase {
  config: Required<DCGANConfig>;
  scale: number;
  batch: number;
  optimizer: 'sgd' | 'adam';
  losses: Record<string, number>;
  gradients: { generator: Record<string, Sampled>; discriminator: Record<string, Sampled> };
  after: { generator: Record<string, Sampled>; discriminator: Record<string, Sampled> };
}

const fixture: { forward: ForwardCase[]; steps: StepCase[] } = loadFixture(
  import.meta.url,
  '../fixtures/dcgan.json',
);
const VALUES = 1e-5;
const GRADIENTS = 1e-4;

async function filled({ config, scale }: { config: DCGANConfig; scale: number }) {
  const model = new DCGAN(config, { seed: 1 });
  await fill(model.generator, scale, 100);
  await fill(model.discriminator, scale, 200);
  return model;
}

const inputsOf = ({ config, batch }: { config: Required<DCGANConfig>; batch: number }) => ({
  z: hashed([batch, config.latent], 1),
  real: hashed([batch, config.size, config.size, config.channels], 2),
});

describe.each(fixture.forward)('DCGAN $config is PyTorch’s', (expected) => {
  it('forward, in evaluation and in training', async () => {
    const { generator, discriminator } = await filled(expected);
    const { z, real } = inputsOf(expected);
    for (const mode of ['evaluated', 'trained'] as const) {
      generator.train(mode === 'trained');
      discriminator.train(mode === 'trained');
      expectSampled(seen(generator.forward(z)), expected[mode].images, VALUES, `images ${mode}`);
      expectSampled(seen(discriminator.forward(real)), expected[mode].logits, VALUES, `logits ${mode}`);
    }
  });

  const { gradients } = expected;
  if (!gradients) return; // at full width too large to be worth it
  it('backward', async () => {
    const { generator, discriminator } = await filled(expected);
    const { z, real } = inputsOf(expected);
    const weighted = (y: tf.Tensor, seed: number) => tf.sum(tf.mul(y, hashed(y.shape, seed))) as tf.Scalar;
    const cases = [
      ['generator', generator, () => weighted(generator.forward(z), 3)],
      ['discriminator', discriminator, () => weighted(discriminator.forward(real), 4)],
    ] as const;
    for (const [name, module, loss] of cases) {
      const parameters = module.namedParameters();
      const { grads } = valueAndGrad(loss, parameters);
      const actual = Object.fromEntries(
        Object.keys(parameters).map((p) => [p, seen(grads[p]!, parameters[p])]),
      );
      expectAllSampled(actual, gradients[name], GRADIENTS, name);
    }
    // The generator learns through this one.
    const dx = tf.grad((x) => weighted(discriminator.forward(x), 4))(real);
    expectSampled(seen(dx), gradients.real, GRADIENTS, 'gradient of the pictures');
  });
});

describe.each(fixture.steps)('one step of $config with $optimizer', (expected) => {
  it('gives PyTorch’s losses, gradients, weights and running statistics', async () => {
    const model = await filled(expected);
    const { z, real } = inputsOf(expected);
    const gan: Gan = { ...model, latents: () => tf.clone(z) };
    const grads = { generator: {} as Record<string, Seen>, discriminator: {} as Record<string, Seen> };
    const step = ganStep(gan, {
      objective: nonSaturating(),
      optimizer: (network) =>
        watched(
          expected.optimizer === 'sgd' ? sgd({ lr: 0.05, momentum: 0.9 }) : adam({ lr: 2e-4, beta1: 0.5 }),
          grads[network],
        ),
    });
    const losses = tf.tidy(() => step.run({ image: real }, randomKey(0)));
    for (const [name, loss] of Object.entries(losses)) {
      expect(loss.dataSync()[0]! / expected.losses[name]! - 1, `loss ${name}`).toBeCloseTo(0, 5);
    }
    for (const network of ['discriminator', 'generator'] as const) {
      expectAllSampled(grads[network], expected.gradients[network], GRADIENTS, `gradient of ${network}`);
      const after = await seenState(model[network]);
      expectAllSampled(after, expected.after[network], VALUES, `${network} after the step`);
    }
  });
});

it('a state dict of PyTorch’s loads unchanged and draws the same pictures', async () => {
  const expected = fixture.forward[1]!;
  const model = new DCGAN(expected.config, { seed: 9 });
  const file = (name: string) =>
    fileURLToPath(new URL(`../fixtures/torch-${name}.safetensors`, import.meta.url));
  model.generator.loadStateDict(await readSafetensors(file('generator')));
  model.discriminator.loadStateDict(await readSafetensors(file('discriminator')));
  const { z, real } = inputsOf(expected);
  model.eval();
  expectSampled(seen(model.generator.forward(z)), expected.evaluated.images, VALUES, 'images');
  expectSampled(seen(model.discriminator.forward(real)), expected.evaluated.logits, VALUES, 'logits');
});
