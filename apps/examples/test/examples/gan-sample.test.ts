import { fileURLToPath } from 'node:url';
import { type HostTensor, hostTensor, type StateDict, useBackend } from '@poiesis/core';
import { readSafetensors } from '@poiesis/core/node';
import { DCGAN } from '@poiesis/gan';
import { describe, expect, it } from 'vitest';
import { findGenerator } from '../../src/examples/gan-sample';

const zeros = (...shape: number[]): HostTensor =>
  hostTensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);

/** A PyTorch generator's tensors as far as their shapes matter. */
function generator(
  prefix: string,
  { kernels = [4, 4, 4, 4], latent = 10, width = 3, channels = 1 } = {},
): StateDict {
  const inner = kernels.slice(1).map((_, i, all) => width * 2 ** (all.length - 1 - i));
  const features = [latent, ...inner, channels];
  const state: StateDict = {};
  for (const [i, kernel] of kernels.entries()) {
    state[`${prefix}${3 * i}.weight`] = zeros(features[i]!, features[i + 1]!, kernel, kernel);
    if (i < kernels.length - 1) state[`${prefix}${3 * i + 1}.running_mean`] = zeros(features[i + 1]!);
  }
  return state;
}

const discriminator = (prefix: string): StateDict => ({
  [`${prefix}0.weight`]: zeros(3, 1, 4, 4),
  [`${prefix}2.weight`]: zeros(6, 3, 4, 4),
  [`${prefix}3.running_mean`]: zeros(6),
});

describe('findGenerator', () => {
  it.each([
    [{}, { size: 32, latent: 10, width: 3, channels: 1 }],
    [{ kernels: [4, 3, 4, 4] }, { size: 28, latent: 10, width: 3, channels: 1 }],
    [
      { kernels: [4, 4, 4, 4, 4], latent: 7, width: 2, channels: 3 },
      { size: 64, latent: 7, width: 2, channels: 3 },
    ],
  ])('tells the config by the shapes: %j', (shapes, config) => {
    expect(findGenerator(generator('model.', shapes), 'f').config).toEqual(config);
  });

  it.each(['model.', 'main.', 'generator.model.', 'module.main.'])('finds it under %s', (prefix) => {
    const { weights } = findGenerator(
      { ...discriminator('discriminator.model.'), ...generator(prefix) },
      'f',
    );
    expect(Object.keys(weights)).toEqual(Object.keys(generator('model.')));
  });

  it('prefers the average in a checkpoint', () => {
    const state = { ...generator('generator/model.', { latent: 5 }), ...generator('ema/module.model.') };
    expect(findGenerator(state, 'f').config.latent).toBe(10);
  });

  it.each([
    ['a discriminator alone', discriminator('model.')],
    ['nothing', {}],
    ['other layers', generator('model.', { kernels: [4, 5] })],
  ])('says in one line that a file with %s is none', (_, state) => {
    expect(() => findGenerator(state, 'some.safetensors')).toThrow(
      expect.objectContaining({
        name: 'ExampleError',
        message: expect.stringMatching(/^some\.safetensors.*DCGAN generator/),
      }),
    );
  });

  it('loads what PyTorch has saved', async () => {
    await useBackend('cpu');
    const file = fileURLToPath(
      new URL('../../../../packages/gan/fixtures/torch-generator.safetensors', import.meta.url),
    );
    const { weights, config } = findGenerator(await readSafetensors(file), file);
    new DCGAN(config, { seed: 0 }).generator.loadStateDict(weights);
  });
});
