import { valueAndGrad } from '@poiesis/core';
import { expectNoLeak, maxRelativeError } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { type ClipBatch, type ClipStepOptions, clipStep, infoNCE, sigLIP } from '../../src';
import { type Contrast, contrast } from '../../src/training/contrast';
import { key, pairs, recorder, tinyModel } from './tiny';

type Model = ReturnType<typeof tinyModel>;

function gradientsOf(model: Model, batch: ClipBatch, options: Omit<ClipStepOptions, 'optimizer'>) {
  const { optimizer, grads } = recorder();
  const step = clipStep(model, { ...options, optimizer });
  const losses = tf.tidy(() => {
    const result = step.run(batch, key);
    return Object.fromEntries(Object.entries(result).map(([name, loss]) => [name, loss.dataSync()[0]!]));
  });
  return { grads, losses };
}

function expectSame(actual: Record<string, Float32Array>, expected: Record<string, Float32Array>): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, grad] of Object.entries(expected)) {
    // A key's bias has no gradient but for rounding.
    const size = Math.max(...grad.map(Math.abs));
    if (size > 1e-7) expect(maxRelativeError(actual[name]!, grad), name).toBeLessThanOrEqual(1e-5);
  }
}

describe('gradient caching', () => {
  it.each([
    ['infoNCE', infoNCE, 8, 8],
    ['infoNCE with duplicate captions', infoNCE, 8, 5],
    ['sigLIP', sigLIP, 8, 8],
  ] as const)('has the gradients of the whole batch: %s', (_, objective, n, captions) => {
    const model = tinyModel({ bias: objective === sigLIP });
    const batch = pairs(n, 1, captions);
    const whole = gradientsOf(model, batch, { objective });
    for (const chunk of [1, 3, 4]) {
      const cached = gradientsOf(model, batch, { objective, chunk });
      expectSame(cached.grads, whole.grads);
      for (const [name, value] of Object.entries(whole.losses))
        expect(cached.losses[name], name).toBeCloseTo(value, 4);
    }
  });

  it('is the whole batch where a chunk holds it', () => {
    const model = tinyModel();
    const encode = vi.spyOn(model, 'encodeImage');
    gradientsOf(model, pairs(4), { objective: infoNCE, chunk: 4 });
    expect(encode).toHaveBeenCalledOnce();
    gradientsOf(model, pairs(4), { objective: infoNCE, chunk: 2 });
    expect(encode).toHaveBeenCalledTimes(1 + 2 * 2);
  });

  it('drops the same patches in both passes', () => {
    const model = tinyModel({ patchDropout: 0.5 });
    const batch = pairs(6);
    const cached = gradientsOf(model, batch, { objective: infoNCE, chunk: 4 });
    // The same chunks with the same keys, on one tape.
    const [, forImage, forText] = key.split(3);
    const expected: Record<string, Float32Array> = {};
    tf.tidy(() => {
      const { grads } = valueAndGrad<Contrast>(() => {
        const rows = <T extends tf.Tensor>(x: T, start: number, size: number): T =>
          tf.slice(x, [start, ...x.shape.slice(1).map(() => 0)], [size, ...x.shape.slice(1)]) as T;
        const image = [0, 1].map((i) =>
          model.encodeImage(rows(batch.pixels, i * 4, i ? 2 : 4), { key: forImage!.fold(i) }),
        );
        const text = [0, 1].map((i) =>
          model.encodeText(rows(batch.tokens, i * 4, i ? 2 : 4), { key: forText!.fold(i) }),
        );
        return contrast(
          model,
          infoNCE,
          { image: tf.concat2d(image, 0), text: tf.concat2d(text, 0) },
          undefined,
        );
      }, model.trainableParameters());
      for (const [name, grad] of Object.entries(grads)) expected[name] = Float32Array.from(grad.dataSync());
    });
    expectSame(cached.grads, expected);
  });

  it('keeps a locked tower out of the second pass', () => {
    const model = tinyModel();
    const batch = pairs(6);
    const whole = gradientsOf(model, batch, { objective: infoNCE, locked: 'image' });
    const encode = vi.spyOn(model, 'encodeImage');
    const cached = gradientsOf(model, batch, { objective: infoNCE, locked: 'image', chunk: 4 });
    expect(encode).toHaveBeenCalledTimes(2);
    expectSame(cached.grads, whole.grads);
    expect(Object.keys(cached.grads).filter((name) => name.startsWith('visual.'))).toEqual([]);
  });

  it('works with a tower that is frozen, if not locked', () => {
    const model = tinyModel();
    model.visual.freeze();
    const whole = gradientsOf(model, pairs(6), { objective: infoNCE });
    expectSame(gradientsOf(model, pairs(6), { objective: infoNCE, chunk: 2 }).grads, whole.grads);
  });

  it('leaves no tensor behind', () => {
    const { optimizer } = recorder();
    const step = clipStep(tinyModel(), { objective: infoNCE, optimizer, chunk: 2 });
    return expectNoLeak(() => {
      const batch = pairs(4);
      tf.dispose([tf.tidy(() => step.run(batch, key)), { ...batch }]);
    });
  });

  it('rejects chunks that are none', () => {
    const { optimizer } = recorder();
    for (const chunk of [0, 1.5, Number.NaN]) {
      expect(() => clipStep(tinyModel(), { objective: infoNCE, optimizer, chunk })).toThrow(
        `clipStep(options.chunk): expected an integer ≥ 1, got ${chunk}`,
      );
    }
  });
});
