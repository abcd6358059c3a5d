import { adam, type Key, memoryStore, randomKey, sgd, train } from '@poiesis/core';
import { expectNoLeak, stateBytes } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { DCGAN, ganStep, nonSaturating } from '../src';

const config = { size: 28, channels: 1, latent: 4, width: 2 } as const;
const objective = nonSaturating();

/** Squares of one brightness, a little noisy: what the smallest GAN can learn. */
function bright(n: number, key: Key, level = 0.8): tf.Tensor {
  return tf.tidy(() =>
    tf.add(level, tf.mul(0.05, tf.randomUniform([n, 28, 28, 1], -1, 1, 'float32', key.words()[0]))),
  );
}

function* batches(n: number) {
  for (let i = 0; ; i++) yield { image: bright(n, randomKey(5).fold(i)), label: tf.zeros([n], 'int32') };
}

describe('ganStep', () => {
  it('runs the generator once and the discriminator on real, fake and fake', () => {
    const model = new DCGAN(config, { seed: 1 });
    const makes = vi.spyOn(model.generator, 'forward');
    const judges = vi.spyOn(model.discriminator, 'forward');
    const step = ganStep(model, { objective, optimizer: () => sgd({ lr: 0.1 }) });
    tf.tidy(() => {
      const real = bright(3, randomKey(1));
      step.run(real, randomKey(2));
      expect(makes).toHaveBeenCalledOnce();
      const fake = makes.mock.results[0]!.value;
      expect(judges.mock.calls.map(([x]) => (x === real ? 'real' : x === fake ? 'fake' : 'other'))).toEqual([
        'real',
        'fake',
        'fake',
      ]);
    });
  });

  it('takes pictures alone or in a record, and nothing else', () => {
    const step = () =>
      ganStep(new DCGAN(config, { seed: 1 }), { objective, optimizer: () => sgd({ lr: 0.1 }) });
    tf.tidy(() => {
      const image = bright(2, randomKey(1));
      const value = (batch: Parameters<ReturnType<typeof ganStep>['run']>[0]) =>
        step().run(batch, randomKey(2)).generator!.dataSync()[0];
      expect(value(image)).toBe(value({ image }));
      expect(() => value({} as never)).toThrow('ganStep.run(batch)');
    });
  });

  it('gives each network an optimizer of its own', () => {
    const networks: string[] = [];
    const model = new DCGAN(config, { seed: 1 });
    ganStep(model, {
      objective,
      optimizer(network) {
        networks.push(network);
        return adam({ lr: 1e-3 });
      },
    });
    expect(networks).toEqual(['generator', 'discriminator']);
    const one = adam({ lr: 1e-3 });
    expect(() => ganStep(model, { objective, optimizer: () => one })).toThrow('options.optimizer');
  });

  it('keeps an average of the generator where it is told to', async () => {
    const model = new DCGAN(config, { seed: 1 });
    const start = (await model.generator.stateDict())['model.0.weight']!;
    const step = ganStep(model, { objective, optimizer: () => adam({ lr: 1e-2 }), ema: { decay: 0.5 } });
    expect(Object.keys(step.state)).toContain('ema');
    tf.tidy(() => step.run(bright(3, randomKey(1)), randomKey(2)));
    const now = (await model.generator.stateDict())['model.0.weight']!;
    const averaged = (await step.ema!.averages())['model.0.weight']!;
    const [a, b, c] = [start, now, averaged].map((t) => new Float32Array(t.bytes.slice().buffer));
    expect(c!).toBeAllClose(
      a!.map((x, i) => (x + b![i]!) / 2),
      1e-6,
    );
    expect(ganStep(model, { objective, optimizer: () => adam({ lr: 1e-2 }) }).ema).toBeUndefined();
  });

  it('leaves frozen layers alone', async () => {
    const model = new DCGAN(config, { seed: 1 });
    model.discriminator.model.at(0)!.freeze();
    const before = await model.discriminator.stateDict();
    const step = ganStep(model, { objective, optimizer: () => adam({ lr: 1e-2 }) });
    tf.tidy(() => step.run(bright(3, randomKey(1)), randomKey(2)));
    const after = await model.discriminator.stateDict();
    expect(after['model.0.weight']!.bytes).toEqual(before['model.0.weight']!.bytes);
    expect(after['model.2.weight']!.bytes).not.toEqual(before['model.2.weight']!.bytes);
  });

  it('leaves no tensor behind over 50 steps', async () => {
    const step = ganStep(new DCGAN({ ...config, width: 1 }, { seed: 1 }), {
      objective,
      optimizer: () => adam({ lr: 1e-3 }),
      ema: true,
    });
    let start = { numTensors: 0, numDataBuffers: 0 };
    for await (const event of train(step, batches(2), { steps: 54 })) {
      if (event.type !== 'step') continue;
      if (event.step === 3) start = tf.memory();
      if (event.step > 3 && event.step < 54) {
        expect(tf.memory().numTensors).toBe(start.numTensors);
        expect(tf.memory().numDataBuffers).toBe(start.numDataBuffers);
      }
    }
  });

  it('leaves nothing behind where a network throws', async () => {
    const step = ganStep(new DCGAN(config, { seed: 1 }), { objective, optimizer: () => adam({ lr: 1e-3 }) });
    await expectNoLeak(() => {
      const wrong = tf.ones([2, 32, 32, 1]);
      expect(() => tf.tidy(() => step.run(wrong, randomKey(1)))).toThrow('[batch, 28, 28, 1]');
      wrong.dispose();
    });
  });

  it('resumes to the same bits', async () => {
    const make = () =>
      ganStep(new DCGAN(config, { seed: 1 }), { objective, optimizer: () => adam({ lr: 1e-2 }), ema: true });
    const run = async (step: ReturnType<typeof make>, options: { steps: number; resume?: boolean }) => {
      for await (const _ of train(step, batches(2), { seed: 3, checkpoints: store, ...options }));
      return stateBytes(step.state);
    };
    let store = memoryStore();
    const whole = await run(make(), { steps: 5 });
    store = memoryStore();
    await run(make(), { steps: 3 });
    expect(await run(make(), { steps: 5, resume: true })).toEqual(whole);
  });
});

it('the smallest DCGAN learns the brightness of its pictures', async () => {
  const model = new DCGAN(config, { seed: 1 });
  const step = ganStep(model, { objective, optimizer: () => adam({ lr: 0.03, beta1: 0.5 }) });
  const brightness = () => tf.tidy(() => tf.mean(model.sample(16, { seed: 7 })).dataSync()[0]!);
  const before = brightness();
  let first: number | undefined;
  for await (const event of train(step, batches(4), { steps: 40, seed: 1 })) {
    if (event.type === 'step') first ??= event.losses.discriminator;
  }
  expect(first).toBeCloseTo(2 * Math.LN2, 1); // it knows nothing yet
  expect(Math.abs(before)).toBeLessThan(0.1);
  expect(brightness()).toBeGreaterThan(0.3); // 0.57 when this was written
});
