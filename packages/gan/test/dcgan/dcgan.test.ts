import { ArgumentError, BatchNorm2d, Conv2d, ConvTranspose2d, ema, normal, randomKey } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { DCGAN, type DCGANSize } from '../../src';
import { assertSize } from '../../src/dcgan/config';

const small = { size: 28, channels: 1, latent: 4, width: 2 } as const;
const shapesOf = async (model: DCGAN, part: 'generator' | 'discriminator') =>
  Object.fromEntries(Object.entries(await model[part].stateDict()).map(([name, t]) => [name, t.shape]));

describe('DCGAN of 32×32', () => {
  it('has the names and shapes of the well-known PyTorch modules, and no biases', async () => {
    const model = new DCGAN({ size: 32, channels: 1, latent: 100 }, { seed: 1 });
    const norm = (i: number, n: number) => ({
      [`model.${i}.weight`]: [n],
      [`model.${i}.bias`]: [n],
      [`model.${i}.running_mean`]: [n],
      [`model.${i}.running_var`]: [n],
      [`model.${i}.num_batches_tracked`]: [],
    });
    expect(await shapesOf(model, 'generator')).toEqual({
      'model.0.weight': [100, 256, 4, 4],
      ...norm(1, 256),
      'model.3.weight': [256, 128, 4, 4],
      ...norm(4, 128),
      'model.6.weight': [128, 64, 4, 4],
      ...norm(7, 64),
      'model.9.weight': [64, 1, 4, 4],
    });
    expect(await shapesOf(model, 'discriminator')).toEqual({
      'model.0.weight': [64, 1, 4, 4],
      'model.2.weight': [128, 64, 4, 4],
      ...norm(3, 128),
      'model.5.weight': [256, 128, 4, 4],
      ...norm(6, 256),
      'model.8.weight': [1, 256, 4, 4],
    });
    expect(model.generator.parameterCount()).toBe(1_066_880);
    expect(Object.keys(model.namedParameters())).toContain('generator.model.0.weight');
    model.dispose();
  });

  it('starts at N(0, 0.02²), batch norm’s scale at N(1, 0.02²)', () => {
    const model = new DCGAN({ size: 32, channels: 1 }, { seed: 1 });
    for (const [, part] of model.modules()) {
      const conv = part instanceof Conv2d || part instanceof ConvTranspose2d;
      if (!conv && !(part instanceof BatchNorm2d)) continue;
      const { mean, variance } = tf.moments(part.weight as tf.Tensor);
      const [m, s] = [mean.dataSync()[0]!, Math.sqrt(variance.dataSync()[0]!)];
      const few = part.weight!.size < 5000;
      expect(Math.abs(m - (conv ? 0 : 1))).toBeLessThan(few ? 0.007 : 0.001);
      expect(Math.abs(s - 0.02)).toBeLessThan(few ? 0.006 : 0.001);
      if (!conv) expect(tf.max(tf.abs(part.bias as tf.Tensor)).dataSync()[0]).toBe(0);
    }
    model.dispose();
  });

  it('is a function of its seed', async () => {
    const bytes = async (seed: number) =>
      (await new DCGAN(small, { seed }).stateDict())['generator.model.0.weight']!.bytes;
    expect(await bytes(1)).toEqual(await bytes(1));
    expect(await bytes(1)).not.toEqual(await bytes(2));
  });
});

it.each([
  [28, [4, 7, 14, 28]],
  [32, [4, 8, 16, 32]],
  [64, [4, 8, 16, 32, 64]],
] as [DCGANSize, number[]][])('%i pixels are reached through %j, and back', (size, sides) => {
  const model = new DCGAN({ size, channels: 3, latent: 5, width: 2 }, { seed: 1 });
  const through = (layers: Iterable<{ forward(x: tf.Tensor): tf.Tensor }>, x: tf.Tensor) => {
    const seen: number[] = [];
    for (const layer of layers) {
      const y = layer.forward(x);
      if (y.shape[1] !== x.shape[1]) seen.push(y.shape[1]!);
      x = y;
    }
    expect(x.shape[1]).toBe(x.shape[2]);
    return seen;
  };
  tf.tidy(() => {
    expect(through(model.generator.model, tf.ones([2, 1, 1, 5]))).toEqual(sides);
    expect(through(model.discriminator.model, tf.ones([2, size, size, 3]))).toEqual([
      ...sides.slice(0, -1).reverse(),
      1,
    ]);
    const images = model.generator.forward(model.latents(2, randomKey(1)));
    expect(images.shape).toEqual([2, size, size, 3]);
    expect(model.discriminator.forward(images).shape).toEqual([2]);
  });
  model.dispose();
});

describe('sample', () => {
  it('draws in evaluation mode, the same for the same seed, within [-1, 1]', () => {
    const model = new DCGAN(small, { seed: 1 });
    model.discriminator.model.at(0)!.eval();
    model.generator.model.at(1)!.eval();
    const before = model.generator.model.at(1)!;
    const [a, b, c] = [
      model.sample(3, { seed: 7 }),
      model.sample(3, { seed: 7 }),
      model.sample(3, { seed: 8 }),
    ];
    expect(a.shape).toEqual([3, 28, 28, 1]);
    expect(a.dataSync()).toEqual(b.dataSync());
    expect(a.dataSync()).not.toEqual(c.dataSync());
    expect(Math.max(...a.dataSync().map(Math.abs))).toBeLessThanOrEqual(1);
    // Everything is in the mode that it was in.
    expect(model.generator.training).toBe(true);
    expect(before.training).toBe(false);
    expect(model.generator.model.at(4)!.training).toBe(true);
    // A picture does not depend on those beside it, as batch statistics would make it.
    const alone = tf.tidy(() => {
      model.generator.eval();
      return model.generator.forward(tf.slice(normal(randomKey(7), [3, 4]), [0, 0], [1, 4]));
    });
    expect(tf.slice(a, 0, 1)).toBeAllClose(alone, 1e-6);
  });

  it('draws with an average where it is told to, and leaves the weights alone', async () => {
    const model = new DCGAN(small, { seed: 1 });
    const average = ema(model.generator);
    const first = model.sample(2, { seed: 7 });
    for (const parameter of Object.values(model.generator.namedParameters())) {
      parameter.assign(tf.mul(parameter as tf.Tensor, -2));
    }
    const changed = model.sample(2, { seed: 7 });
    const averaged = model.sample(2, { seed: 7, average });
    expect(averaged.dataSync()).toEqual(first.dataSync());
    expect(model.sample(2, { seed: 7 }).dataSync()).toEqual(changed.dataSync());
    expect(changed.dataSync()).not.toEqual(first.dataSync());
    await expectNoLeak(() => model.sample(2, { seed: 7, average }).dispose());
  });
});

it('probability is the sigmoid of the logit', () => {
  const { discriminator } = new DCGAN(small, { seed: 1 });
  discriminator.eval();
  const x = tf.ones([2, 28, 28, 1]);
  expect(discriminator.probability(x)).toBeAllClose(tf.sigmoid(discriminator.forward(x)), 1e-6);
});

it('leaves no tensor behind', async () => {
  const x = tf.ones([2, 28, 28, 1]);
  await expectNoLeak(() => {
    const model = new DCGAN(small, { seed: 1 });
    tf.dispose([model.sample(1, { seed: 1 }), model.discriminator.probability(x)]);
    model.dispose();
  });
});

describe('wrong input', () => {
  const model = new DCGAN(small, { seed: 1 });
  it.each([
    [
      () => new DCGAN({ ...small, size: 30 as 28 }, { seed: 1 }),
      'DCGAN(config.size): expected 28, 32 or 64, got 30',
    ],
    [() => new DCGAN({ ...small, channels: 0 }, { seed: 1 }), 'config.channels'],
    [() => new DCGAN({ ...small, latent: 1.5 }, { seed: 1 }), 'config.latent'],
    [() => new DCGAN({ ...small, width: -8 }, { seed: 1 }), 'config.width'],
    [() => model.sample(0, { seed: 1 }), 'DCGAN.sample(count)'],
    [
      () => model.generator.forward(tf.ones([2, 5])),
      'DCGANGenerator.forward(z): expected [batch, 4], got [2, 5]',
    ],
    [
      () => model.discriminator.forward(tf.ones([2, 32, 32, 1])),
      'expected [batch, 28, 28, 1], got [2, 32, 32, 1]',
    ],
    [() => assertSize('DCGANGenerator', 32, 28), 'expected layers that end at 28 pixels, got 32'],
  ])('%#: is named', (wrong, message) => {
    let error: unknown;
    try {
      wrong();
    } catch (e) {
      error = e;
    }
    expect(ArgumentError.isInstance(error)).toBe(true);
    expect((error as Error).message).toContain(message);
  });
});
