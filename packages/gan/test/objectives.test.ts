import { checkGradients, expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { minimax, nonSaturating } from '../src';

const real = [1.5, -0.3, 0];
const fake = [-2, 0.7, 0.1];
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
const value = (loss: tf.Scalar) => loss.dataSync()[0]!;
const discriminatorLoss = (smoothing = 0) =>
  mean(real.map((x) => -(1 - smoothing) * Math.log(sigmoid(x)) - smoothing * Math.log(1 - sigmoid(x)))) +
  mean(fake.map((x) => -Math.log(1 - sigmoid(x))));

describe.each([
  ['nonSaturating', nonSaturating, mean(fake.map((x) => -Math.log(sigmoid(x))))],
  ['minimax', minimax, mean(fake.map((x) => Math.log(1 - sigmoid(x))))],
] as const)('%s', (_name, objective, generatorLoss) => {
  it('is the paper’s formula', () => {
    const { discriminator, generator } = objective();
    expect(value(discriminator(tf.tensor1d(real), tf.tensor1d(fake)))).toBeCloseTo(discriminatorLoss(), 5);
    expect(value(generator(tf.tensor1d(fake)))).toBeCloseTo(generatorLoss, 5);
  });

  it('smooths the real side only', () => {
    const { discriminator, generator } = objective({ smoothing: 0.1 });
    expect(value(discriminator(tf.tensor1d(real), tf.tensor1d(fake)))).toBeCloseTo(discriminatorLoss(0.1), 5);
    expect(value(generator(tf.tensor1d(fake)))).toBeCloseTo(generatorLoss, 5);
  });

  it('has the gradients of its values', () => {
    const { discriminator, generator } = objective({ smoothing: 0.2 });
    checkGradients((r, f) => discriminator(r!, f!), [tf.tensor1d(real), tf.tensor1d(fake)]);
    checkGradients((f) => generator(f!), [tf.tensor1d(fake)]);
  });

  it('stays finite where a sigmoid would be 0 or 1', () => {
    const { discriminator, generator } = objective();
    const sure = tf.tensor1d([-200, 200]);
    expect(value(discriminator(sure, sure))).toBeCloseTo(200, 3);
    expect(Math.abs(value(generator(sure)))).toBeCloseTo(100, 3);
  });

  it('leaves no tensor behind, and refuses an odd smoothing', async () => {
    const { discriminator, generator } = objective();
    const logits = tf.tensor1d(fake);
    await expectNoLeak(() => tf.dispose([discriminator(logits, logits), generator(logits)]));
    expect(() => objective({ smoothing: 1 })).toThrow('options.smoothing');
  });
});

it('only the non-saturating generator still learns from a sure discriminator', () => {
  const slope = (f: (x: tf.Tensor) => tf.Tensor) =>
    Math.abs(
      tf
        .grad(f)(tf.tensor1d([-8]))
        .dataSync()[0]!,
    );
  expect(slope(nonSaturating().generator)).toBeGreaterThan(0.99);
  expect(slope(minimax().generator)).toBeLessThan(1e-3);
});
