import { adamW, memoryStore, NumericError, randomKey, sgd, train } from '@poiesis/core';
import { expectNoLeak, stateBytes } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { type ClipStepOptions, clampLogitScale, clipStep, infoNCE, l2Normalize, sigLIP } from '../../src';
import { batches, key, pairs, recorder, tinyModel } from './tiny';

type Options = Partial<ClipStepOptions>;

const stepOf = (model = tinyModel(), options: Options = {}) =>
  clipStep(model, { objective: infoNCE, optimizer: adamW({ lr: 1e-2 }), ...options });

/** One step, its losses on the host. */
function once(step: ReturnType<typeof clipStep>, batch = pairs(4), k = key) {
  return tf.tidy(() =>
    Object.fromEntries(Object.entries(step.run(batch, k)).map(([name, loss]) => [name, loss.dataSync()[0]!])),
  );
}

const logScale = (model: ReturnType<typeof tinyModel>) => model.logitScale.dataSync()[0]!;

describe('clipStep', () => {
  it('learns pairs', async () => {
    const step = stepOf(tinyModel(), { optimizer: adamW({ lr: 3e-3, beta2: 0.98 }) });
    const losses: number[] = [];
    const same = {
      *[Symbol.iterator]() {
        for (;;) yield pairs(6);
      },
    };
    for await (const event of train(step, same, { steps: 40 })) {
      if (event.type === 'step') losses.push(event.losses.loss!);
    }
    expect(losses[0]).toBeGreaterThan(1);
    expect(losses.at(-1)).toBeLessThan(0.3); // 0.09 when this was written
  });

  it('tells the loss of chance, the temperature and how alike the features are', () => {
    const model = tinyModel();
    const losses = once(stepOf(model));
    expect(losses.chance).toBeCloseTo(Math.log(4), 5);
    expect(losses.scale).toBeCloseTo(1 / 0.07, 3);
    expect(Object.keys(losses)).toEqual(['loss', 'chance', 'scale', 'imageCosine', 'textCosine']);
    // Of all pairs that are not a row with itself.
    const cosine = (features: tf.Tensor2D) => {
      const unit = l2Normalize(features);
      const sum = tf.sum(tf.matMul(unit, unit, false, true)).dataSync()[0]!;
      return (sum - 4) / 12;
    };
    tf.tidy(() => {
      const again = tinyModel();
      expect(losses.imageCosine).toBeCloseTo(cosine(again.encodeImage(pairs(4).pixels)), 4);
      expect(losses.textCosine).toBeCloseTo(cosine(again.encodeText(pairs(4).tokens)), 4);
    });
  });

  it('puts the temperature back into its limits after each update', () => {
    const model = tinyModel();
    const step = stepOf(model);
    for (const [from, to] of [
      [7, Math.log(100)],
      [-2, 0],
      [3, null],
    ] as const) {
      model.logitScale.assign(tf.scalar(from));
      once(step);
      if (to !== null) expect(logScale(model)).toBeCloseTo(to, 5);
      else expect(Math.abs(logScale(model) - from)).toBeLessThan(0.05);
    }
  });

  it('leaves a frozen temperature alone', () => {
    const model = tinyModel();
    model.logitScale.assign(tf.scalar(5));
    model.logitScale.trainable = false;
    once(stepOf(model));
    expect(logScale(model)).toBe(5);
    clampLogitScale(model.logitScale);
    expect(logScale(model)).toBe(5);
  });

  it('keeps the temperature within its limits in replays as well', async () => {
    const model = tinyModel();
    // At this rate it is down from 2.66 to 0 in six updates, and would go on.
    const step = stepOf(model, {
      optimizer: adamW({ lr: 1e-2, groups: [{ match: /logit_scale/, lr: 0.5 }] }),
    });
    const seen: number[] = [];
    const same = {
      *[Symbol.iterator]() {
        for (;;) yield pairs(6);
      },
    };
    for await (const event of train(step, same, { steps: 60 })) {
      if (event.type === 'step') seen.push(event.losses.scale!);
    }
    expect(Math.max(...seen)).toBeLessThanOrEqual(100.001);
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(0.999);
    expect(Math.min(...seen)).toBeCloseTo(1, 5); // it was pushed against the limit
  });

  it('takes duplicate captions for positives, unless told otherwise', () => {
    const model = tinyModel({ bias: true });
    const loss = (options: Options, groups?: number[]) => {
      const batch = { ...pairs(6, 1, 3), ...(groups && { groups: tf.tensor1d(groups, 'int32') }) };
      const step = stepOf(model, { objective: sigLIP, optimizer: sgd({ lr: 0 }), ...options });
      return once(step, batch).loss!;
    };
    const positives = loss({});
    expect(loss({}, [0, 1, 2, 0, 1, 2])).toBeCloseTo(positives, 6);
    const negatives = loss({ duplicates: 'negatives' });
    expect(loss({}, [0, 1, 2, 3, 4, 5])).toBeCloseTo(negatives, 5);
    expect(negatives).not.toBeCloseTo(positives, 3);
    // Equal texts have equal features: a softmax shares the target among them as the groups do.
    const spread = loss({ objective: infoNCE });
    expect(loss({ objective: infoNCE, duplicates: 'negatives' })).toBeCloseTo(spread, 5);
  });

  it('changes the pictures where it is told how', () => {
    const model = tinyModel();
    const augment = vi.fn((pixels: tf.Tensor4D) => tf.neg(pixels));
    const plain = once(stepOf(model, { optimizer: sgd({ lr: 0 }) })).loss;
    expect(once(stepOf(model, { optimizer: sgd({ lr: 0 }), augment })).loss).not.toBe(plain);
    expect(augment).toHaveBeenCalledOnce();
  });

  it('draws other patches at each step', () => {
    const step = stepOf(tinyModel({ patchDropout: 0.5 }), { optimizer: sgd({ lr: 0 }) });
    expect(once(step, pairs(4), randomKey(1)).loss).toBe(once(step, pairs(4), randomKey(1)).loss);
    expect(once(step, pairs(4), randomKey(1)).loss).not.toBe(once(step, pairs(4), randomKey(2)).loss);
  });

  it('trains a bias where there is one', () => {
    const model = tinyModel({ bias: true });
    once(stepOf(model, { objective: sigLIP }));
    expect(model.logitBias!.dataSync()[0]).not.toBe(-4);
  });

  it('keeps an average where it is told to', () => {
    const step = stepOf(tinyModel(), { ema: true });
    expect(Object.keys(step.state)).toEqual(['model', 'optimizer', 'ema']);
    expect(stepOf().ema).toBeUndefined();
  });

  it('resumes to the same bits', async () => {
    const make = () => stepOf(tinyModel({ patchDropout: 0.5 }), { chunk: 2, ema: true });
    let store = memoryStore();
    const run = async (step: ReturnType<typeof make>, options: { steps: number; resume?: boolean }) => {
      for await (const _ of train(step, batches(4), { seed: 3, checkpoints: store, ...options }));
      return stateBytes(step.state);
    };
    const whole = await run(make(), { steps: 6 });
    store = memoryStore();
    await run(make(), { steps: 3 });
    expect(await run(make(), { steps: 6, resume: true })).toEqual(whole);
  });

  it('leaves no tensor behind', () => {
    const step = stepOf();
    return expectNoLeak(() => {
      const batch = pairs(4);
      once(step, batch);
      tf.dispose({ ...batch });
    });
  });
});

describe('a locked image tower', () => {
  it('is not changed, has no state, and is in evaluation', async () => {
    const model = tinyModel({ patchDropout: 0.5 });
    const before = await model.stateDict();
    const step = stepOf(model, { locked: 'image' });
    once(step);
    const after = await model.stateDict();
    const changed = Object.keys(after).filter(
      (name) => !Buffer.from(after[name]!.bytes).equals(before[name]!.bytes),
    );
    expect(changed.filter((name) => name.startsWith('visual.'))).toEqual([]);
    expect(changed).toContain('text_projection');
    expect(changed).toContain('logit_scale');
    const state = await step.state.optimizer!.stateDict();
    expect(Object.keys(state).filter((name) => name.includes('visual.'))).toEqual([]);
    expect(model.visual.training).toBe(false);
    expect(model.text.training).toBe(true);
  });

  it('computes its features outside of all gradients', () => {
    const model = tinyModel();
    const depths: number[] = [];
    const encode = model.encodeImage.bind(model);
    vi.spyOn(model, 'encodeImage').mockImplementation((...args) => {
      depths.push(tf.engine().state.gradientDepth);
      return encode(...args);
    });
    once(stepOf(model, { locked: 'image' }));
    expect(depths).toEqual([0]);
  });

  it('says which parameters train', () => {
    const open = stepOf().parameters();
    expect(open.locked).toEqual([]);
    const { trained, locked } = stepOf(tinyModel(), { locked: 'image' }).parameters();
    expect(locked.every((name) => name.startsWith('visual.'))).toBe(true);
    expect(trained.some((name) => name.startsWith('visual.'))).toBe(false);
    expect([...trained, ...locked].sort()).toEqual([...open.trained].sort());
  });

  it('learns through train(), and resumes to the same bits', async () => {
    const make = () => stepOf(tinyModel(), { locked: 'image', chunk: 2 });
    let store = memoryStore();
    const run = async (step: ReturnType<typeof make>, options: { steps: number; resume?: boolean }) => {
      for await (const _ of train(step, batches(4), { seed: 3, checkpoints: store, ...options }));
      return stateBytes(step.state);
    };
    const whole = await run(make(), { steps: 5 });
    store = memoryStore();
    await run(make(), { steps: 2 });
    expect(await run(make(), { steps: 5, resume: true })).toEqual(whole);
  });
});

describe('wrong input', () => {
  it('names what does not fit', () => {
    const { optimizer } = recorder();
    const step = stepOf(tinyModel(), { optimizer });
    const batch = pairs(4);
    const run = (changed: object) => () => tf.tidy(() => step.run({ ...batch, ...changed }, key));
    expect(run({ tokens: pairs(3).tokens })).toThrow(
      'clipStep.run(batch.tokens): expected [4, context], a text for each of the 4 pictures, got [3, 5]',
    );
    expect(run({ groups: tf.tensor1d([1, 2, 3], 'int32') })).toThrow(
      'clipStep.run(batch.groups): expected int32 [4], one number for each pair, got "int32 [3]"',
    );
    expect(run({ pixels: tf.ones([4, 8, 8]) })).toThrow('clipStep.run(batch.pixels)');
    expect(run({ pixels: undefined })).toThrow('clipStep.run(batch): expected a record');
  });

  it('names options that do not exist', () => {
    expect(() => stepOf(tinyModel(), { locked: 'text' as never })).toThrow('clipStep(options.locked)');
    expect(() => stepOf(tinyModel(), { duplicates: 'both' as never })).toThrow(
      'clipStep(options.duplicates)',
    );
    expect(() => stepOf(tinyModel(), { objective: undefined as never })).toThrow(
      'clipStep(options.objective)',
    );
  });

  it('stops at a temperature that is no number', async () => {
    const model = tinyModel();
    const step = stepOf(model);
    model.logitScale.assign(tf.scalar(Number.NaN));
    expect(() => once(step)).toThrow(
      'clipStep.run(model.logitScale): expected a finite logarithm of the inverse temperature, got NaN',
    );
  });

  it('stops a training whose temperature becomes NaN, and says where it is', async () => {
    const model = tinyModel();
    const step = stepOf(model, {
      optimizer: adamW({ groups: [{ match: /logit_scale/, lr: (count) => (count === 2 ? 1e38 : 0) }] }),
    });
    const run = async () => {
      for await (const event of train(step, batches(4), { steps: 9 })) {
        if (event.type === 'step' && event.step === 4) model.logitScale.assign(tf.scalar(Number.NaN));
      }
    };
    const error = await run().catch((e: unknown) => e);
    expect(NumericError.isInstance(error) || String(error).includes('model.logitScale')).toBe(true);
  });
});
