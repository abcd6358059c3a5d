import { checkGradients, expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { type ContrastiveObjective, infoNCE, l2Normalize, oneWayInfoNCE, sigLIP } from '../../src';

const objectives = { infoNCE, oneWayInfoNCE, sigLIP } as const;
const all = Object.entries(objectives) as [string, ContrastiveObjective][];
const features = (shape: [number, number], seed: number) =>
  tf.tidy(() => l2Normalize(hashed(shape, seed) as tf.Tensor2D));
const scale = tf.scalar(10);
const value = (loss: tf.Tensor) => loss.dataSync()[0]!;
const onHost = ['cpu', 'wasm'].includes(process.env.POIESIS_TEST_BACKEND ?? 'cpu');

describe.each(all)('%s', (name, objective) => {
  const options = name === 'sigLIP' ? { logitBias: tf.scalar(-4) } : {};

  it.each([
    ['no groups', undefined],
    ['groups', [3, 1, 3, 0]],
  ])('has the gradients of its values (%s)', (_, numbers) => {
    const groups = numbers && tf.tensor1d(numbers, 'int32');
    checkGradients(
      (image, text, logScale) =>
        objective(l2Normalize(image as tf.Tensor2D), l2Normalize(text as tf.Tensor2D), tf.exp(logScale!), {
          ...options,
          groups,
        }),
      [hashed([4, 3], 1), hashed([4, 3], 2), tf.scalar(1.5)],
      { step: 3e-3 },
    );
  });

  it('does not depend on the order of the pairs', () => {
    const [image, text] = [features([5, 4], 1), features([5, 4], 2)];
    const groups = tf.tensor1d([0, 1, 0, 2, 1], 'int32');
    const order = tf.tensor1d([3, 0, 4, 2, 1], 'int32');
    const moved = <T extends tf.Tensor>(x: T) => tf.gather(x, order);
    expect(objective(moved(image), moved(text), scale, options)).toBeAllClose(
      objective(image, text, scale, options),
    );
    expect(objective(moved(image), moved(text), scale, { ...options, groups: moved(groups) })).toBeAllClose(
      objective(image, text, scale, { ...options, groups }),
    );
  });

  it('does not depend on the numbers that name the groups', () => {
    const [image, text] = [features([4, 4], 1), features([4, 4], 2)];
    const of = (groups: number[]) =>
      objective(image, text, scale, { ...options, groups: tf.tensor1d(groups, 'int32') });
    expect(of([0, 1, 0, 2])).toBeAllClose(of([70000, -3, 70000, 5]), 1e-7);
    // Groups of one are no groups.
    expect(of([4, 3, 2, 9])).toBeAllClose(objective(image, text, scale, options));
  });

  it('says what features that tell nothing give', () => {
    const n = 6;
    const groups = tf.tensor1d([0, 1, 0, 1, 2, 3], 'int32');
    const constant = tf.tile(features([1, 4], 1), [n, 1]);
    for (const given of [undefined, groups]) {
      const chance = value(objective.chance!(n, given));
      if (name !== 'sigLIP') {
        expect(chance).toBeCloseTo(Math.log(n), 6);
        expect(value(objective(constant, constant, scale, { groups: given }))).toBeCloseTo(chance, 5);
      } else {
        // Of all biases the one that says the share of positives is best: chance is what it reaches.
        const at = (bias: number) =>
          value(objective(constant, constant, scale, { groups: given, logitBias: tf.scalar(bias) }));
        const share = (given ? 10 : n) / n ** 2;
        const best = Math.log(share / (1 - share)) - 10;
        expect(at(best)).toBeCloseTo(chance, 4);
        expect(at(best + 0.5)).toBeGreaterThan(chance);
        expect(at(best - 0.5)).toBeGreaterThan(chance);
      }
    }
  });

  it('leaves no tensor behind', () =>
    expectNoLeak(() => {
      const [image, text] = [features([4, 3], 1), features([4, 3], 2)];
      const groups = tf.tensor1d([0, 1, 0, 2], 'int32');
      tf.dispose([
        objective(image, text, scale, options),
        objective(image, text, scale, { ...options, groups }),
      ]);
      tf.dispose([objective.chance!(4), objective.chance!(4, groups), image, text, groups]);
    }));

  it('rejects sides that do not belong together', () => {
    const image = features([4, 3], 1);
    expect(() => objective(image, features([3, 3], 2), scale)).toThrow(
      `${name}(text): expected [4, 3], one row for each of the 4 rows of image, got [3, 3]`,
    );
    expect(() => objective(image, features([4, 2], 2), scale)).toThrow(`${name}(text)`);
    expect(() => objective(tf.zeros([0, 3]), tf.zeros([0, 3]), scale)).toThrow(
      `${name}(image): expected [n, d]`,
    );
    expect(() => objective(image, image, tf.ones([2]))).toThrow(`${name}(logitScale): expected a scalar`);
    const groups = (data: number[], dtype: 'int32' | 'float32' = 'int32') => ({
      groups: tf.tensor1d(data, dtype),
    });
    expect(() => objective(image, image, scale, groups([1, 2, 3]))).toThrow(
      `${name}(options.groups): expected int32 [4], one number for each pair, got "int32 [3]"`,
    );
    expect(() => objective(image, image, scale, groups([1, 2, 3, 4], 'float32'))).toThrow('"float32 [4]"');
  });

  it.runIf(onHost)('rejects features that were not normalized', () => {
    const raw = tf.mul(hashed([4, 3], 1), 2) as tf.Tensor2D;
    expect(() => objective(raw, l2Normalize(raw), scale)).toThrow(
      `${name}(image[0]): expected a row of length 1 (l2Normalize), got "length`,
    );
    expect(() => objective(l2Normalize(raw), raw, scale)).toThrow(`${name}(text[0])`);
    const half = tf.mul(features([4, 3], 1), 1 + 2 ** -9) as tf.Tensor2D; // what half precision leaves
    expect(value(objective(half, half, scale))).toBeGreaterThan(0);
  });

  it('rejects a temperature that is none', () => {
    const image = features([4, 3], 1);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 0, -1]) {
      expect(() => objective(image, image, tf.scalar(bad))).toThrow(
        `${name}(logitScale): expected a finite number > 0, got ${bad}`,
      );
    }
    expect(() => objective(image, image, scale, { logitBias: tf.scalar(Number.NaN) })).toThrow(
      `${name}(options.logitBias): expected a finite number, got NaN`,
    );
  });
});

describe('infoNCE', () => {
  it('is the same from both sides, and the mean of both directions', () => {
    const [image, text] = [features([5, 4], 1), features([5, 4], 2)];
    const both = infoNCE(image, text, scale);
    expect(infoNCE(text, image, scale)).toBeAllClose(both);
    const [there, back] = [oneWayInfoNCE(image, text, scale), oneWayInfoNCE(text, image, scale)];
    expect(tf.div(tf.add(there, back), 2)).toBeAllClose(both);
    expect(Math.abs(value(there) - value(back))).toBeGreaterThan(1e-3);
  });

  it('sees what one direction is blind to: a picture that is near to all texts', () => {
    const at = (...degrees: number[]) =>
      tf.tensor2d(degrees.map((d) => [Math.cos((d / 180) * Math.PI), Math.sin((d / 180) * Math.PI)]));
    const [image, text] = [at(5, -120), at(20, -20)];
    // Each picture finds its text, but both texts find the first picture.
    expect(value(oneWayInfoNCE(image, text, scale))).toBeLessThan(0.3);
    expect(value(oneWayInfoNCE(text, image, scale))).toBeGreaterThan(5);
    expect(value(infoNCE(image, text, scale))).toBeGreaterThan(2.5);
  });

  it('goes to 0 for pairs that match, as the temperature falls', () => {
    const image = tf.eye(4) as tf.Tensor2D;
    const at = (scale: number) => value(infoNCE(image, image, tf.scalar(scale)));
    expect(at(1)).toBeCloseTo(Math.log(1 + 3 * Math.exp(-1)), 5);
    expect(at(100)).toBe(0);
    expect(at(5)).toBeGreaterThan(at(10));
  });

  it('is never below the entropy of its targets', () => {
    // Two groups of two: even perfect features give ln 2.
    const image = tf.tensor2d([
      [1, 0],
      [1, 0],
      [0, 1],
      [0, 1],
    ]);
    const groups = tf.tensor1d([5, 5, 8, 8], 'int32');
    expect(value(infoNCE(image, image, tf.scalar(100), { groups }))).toBeCloseTo(Math.log(2), 5);
  });

  it('warns once of a batch of one, whose loss is 0', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const one = features([1, 3], 1);
    expect(value(infoNCE(one, one, scale))).toBe(0);
    expect(value(infoNCE(one, features([1, 3], 2), scale))).toBe(0);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('a batch of one pair'));
    warn.mockRestore();
  });
});

it('sigLIP of one pair is the loss of one question', () => {
  const one = features([1, 3], 1);
  expect(value(sigLIP(one, one, tf.scalar(2), { logitBias: tf.scalar(-1) }))).toBeCloseTo(
    Math.log(1 + Math.exp(-1)),
    5,
  );
});
