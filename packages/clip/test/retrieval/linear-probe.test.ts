import { ArgumentError } from '@poiesis/core';
import { expectNoLeak, hashedValues, loadFixture } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { chooseL2, fitLinearProbe } from '../../src/retrieval';

const { rows, dim, labels, cases } = loadFixture(import.meta.url, '../../fixtures/linear_probe.json');

const matrix = () => tf.tensor2d(hashedValues([rows, dim], 1), [rows, dim]);

// PyTorch: LBFGS over cross_entropy(x @ W.T + b, y, reduction='sum') + l2 / 2 * (W ** 2).sum(), all in doubles.
it.each([0, 1, 2])('ends where PyTorch ends, case %i', async (i) => {
  const expected = cases[i];
  const features = matrix();
  const probe = await fitLinearProbe(features, labels, { l2: expected.l2 });
  expect(probe.converged).toBe(true);
  expect(probe.loss).toBeCloseTo(expected.loss, 6);
  expect([...probe.weight]).toBeAllClose(expected.weight, 1e-4);
  expect([...probe.bias]).toBeAllClose(expected.bias, 1e-4);
  expect(await probe.accuracy(features, labels)).toBeCloseTo(expected.accuracy, 10);
  features.dispose();
});

it('gives the same bits again, and soon from its own solution', async () => {
  const features = matrix();
  const one = await fitLinearProbe(features, labels);
  const two = await fitLinearProbe(features, labels);
  expect(two.weight).toEqual(one.weight);
  const again = await fitLinearProbe(features, labels, { from: one });
  expect(again.iterations).toBe(0);
  features.dispose();
});

it('stops where it is told to', async () => {
  const features = matrix();
  const probe = await fitLinearProbe(features, labels, { maxIterations: 3, l2: 1e-6 });
  expect([probe.iterations, probe.converged]).toEqual([3, false]);
  features.dispose();
});

it('chooses the strength of the penalty on a validation slice', async () => {
  // A class in two of forty features; the others are noise, which needs a penalty to be passed over.
  const noise = hashedValues([120, 40], 5);
  const truth = Array.from({ length: 120 }, (_, i) => i % 3);
  const features = Array.from(truth, (label, i) => {
    const row = [...noise.subarray(40 * i, 40 * i + 40)];
    row[0] = Math.cos((2 * Math.PI * label) / 3) + 0.9 * row[0]!;
    row[1] = Math.sin((2 * Math.PI * label) / 3) + 0.9 * row[1]!;
    return row;
  });
  const training = { features: features.slice(0, 60), labels: truth.slice(0, 60) };
  const validation = { features: features.slice(60), labels: truth.slice(60) };
  const chosen = await chooseL2(training, validation);
  const best = Math.max(...chosen.tried.map(({ accuracy }) => accuracy));
  expect(chosen.accuracy).toBe(best);
  const weak = chosen.tried.find(({ l2 }) => l2 === 1e-6)!;
  expect(chosen.accuracy).toBeGreaterThan(weak.accuracy);
  // Eight steps a decade around the best.
  const exponents = chosen.tried.map(({ l2 }) => Math.log10(l2));
  const nearest = Math.min(
    ...exponents.map((x) => Math.abs(x - Math.log10(chosen.l2))).filter((distance) => distance > 1e-9),
  );
  expect(nearest).toBeCloseTo(1 / 8, 9);
});

it('leaves no tensors behind', async () => {
  const features = matrix();
  await expectNoLeak(async () => {
    const probe = await fitLinearProbe(features, labels, { maxIterations: 2 });
    await probe.predict(features);
  });
  features.dispose();
});

describe('wrong input', () => {
  const x = [
    [1, 0],
    [0, 1],
  ];
  it.each<[string, () => Promise<unknown>, string]>([
    ['another number of labels', () => fitLinearProbe(x, [0]), 'fitLinearProbe(labels): expected 2 labels'],
    [
      'a label that is none',
      () => fitLinearProbe(x, [0, 0.5], { classes: 2 }),
      'labels[1]): expected a whole number',
    ],
    [
      'a label beyond the classes',
      () => fitLinearProbe(x, [0, 3], { classes: 2 }),
      'a whole number below 2, got 3',
    ],
    ['one class', () => fitLinearProbe(x, [0, 0]), 'options.classes): expected at least 2, got 1'],
    ['no penalty', () => fitLinearProbe(x, [0, 1], { l2: 0 }), 'options.l2'],
    ['nothing', () => fitLinearProbe([], []), 'labels'],
    [
      'features of another width',
      async () => (await fitLinearProbe(x, [0, 1])).predict([[1, 2, 3]]),
      'LinearProbe.logits(features[0]): expected 2 values, got "3 values"',
    ],
  ])('%s', async (_, call, message) => {
    await expect(call()).rejects.toThrow(message);
    await expect(call()).rejects.toSatisfy(ArgumentError.isInstance);
  });
});
