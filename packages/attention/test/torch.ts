import { type Module, parameter, valueAndGrad } from '@poiesis/core';
import { hashed, hashedValues, maxRelativeError } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

export const VALUES = 1e-5;
export const GRADIENTS = 1e-4;

/** A tensor as the fixture scripts write it; −∞ as null. */
export interface Recorded {
  shape: number[];
  data: (number | null)[];
  dtype?: 'float32' | 'bool';
}

export function maskOf(mask: Recorded | null): tf.Tensor | null {
  if (!mask) return null;
  const data = mask.data.map((x) => x ?? Number.NEGATIVE_INFINITY);
  return tf.tensor(data, mask.shape, mask.dtype ?? 'float32');
}

export function expectClose(actual: tf.Tensor, expected: Recorded, tolerance: number, what: string): void {
  expect(actual.shape, what).toEqual(expected.shape);
  expect(maxRelativeError(actual, expected.data as number[]), what).toBeLessThanOrEqual(tolerance);
}

/** Gives a module the weights that `fill` in fixtures/transformer.py gives PyTorch's: in the order of their names. */
export function fill(module: Module): void {
  for (const [i, [name, p]] of Object.entries(sorted(module.namedParameters())).entries()) {
    const v = hashedValues(p.shape, 100 + i);
    const [tenth, half] = [Math.fround(0.1), 0.5];
    const isNorm = name.includes('norm') && name.endsWith('weight');
    // In float32 after each operation, as torch computes it.
    const values = isNorm
      ? v.map((x) => 1 + Math.fround(x * tenth))
      : v.map((x) => x * (p.rank > 1 ? half : tenth));
    tf.tidy(() => p.assign(tf.tensor(values, p.shape)));
  }
}

export function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A tensor as fixtures/transformer.py samples it: the norm, and a few values evenly spaced. */
export function expectSampled(actual: tf.Tensor, expected: number[], tolerance: number, what: string): void {
  const values = actual.dataSync() as Float32Array;
  const [norm, ...some] = expected as [number, ...number[]];
  const actualNorm = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
  const stride = Math.max(1, Math.floor(values.length / 3));
  const picked = Float32Array.from(some, (_, i) => values[i * stride]!);
  // Values that cancel to about zero are measured by the tensor's root mean square.
  const scale = Math.max(...some.map(Math.abs), norm / Math.sqrt(values.length), 1e-6);
  const worst = Math.max(...picked.map((x, i) => Math.abs(x - some[i]!) / scale));
  expect(worst, what).toBeLessThanOrEqual(tolerance);
  // Zeros, such as the gradient of a bias that softmax does not feel, are zeros up to rounding.
  expect(Math.abs(actualNorm - norm), `norm of ${what}`).toBeLessThanOrEqual(tolerance * Math.max(norm, 0.1));
}

/**
 * Runs `forward` of parameters and inputs once, and compares output and all gradients of `sum(output · hashed(9))`.
 */
export function expectLikeTorch(
  module: Module,
  inputs: Record<string, tf.Tensor>,
  forward: (inputs: Record<string, tf.Tensor>) => tf.Tensor,
  expected: { output: Recorded; gradients: number[][]; inputGradients: number[][] },
  names: string[],
): void {
  const leaves = Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => [`input ${name}`, parameter(tf.clone(x))]),
  );
  const parameters = sorted(module.namedParameters());
  expect(Object.keys(parameters), 'names').toEqual(names);
  const { value, grads } = valueAndGrad(
    () => {
      const output = forward(
        Object.fromEntries(Object.entries(leaves).map(([name, x]) => [name.slice(6), x as tf.Tensor])),
      );
      return { loss: tf.sum(tf.mul(output, hashed(output.shape, 9))) as tf.Scalar, output };
    },
    { ...parameters, ...leaves },
  );
  expectClose(value.output!, expected.output, VALUES, 'output');
  for (const [i, name] of names.entries())
    expectSampled(grads[name]!, expected.gradients[i]!, GRADIENTS, name);
  for (const [i, name] of Object.keys(leaves).entries()) {
    expectSampled(grads[name]!, expected.inputGradients[i]!, GRADIENTS, name);
  }
  tf.dispose([value, grads, leaves] as tf.TensorContainer);
}
