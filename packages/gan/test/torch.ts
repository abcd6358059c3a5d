import {
  diskFormat,
  type HostTensor,
  hostTensor,
  type Module,
  type Optimizer,
  type Parameter,
  type StateDict,
  toFloat32,
} from '@poiesis/core';
import { hashedValues } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** Gives a module the weights that `fill` in fixtures/dcgan.py gives PyTorch's. */
export async function fill(module: Module, scale: number, seed: number): Promise<void> {
  const filled: StateDict = {};
  for (const [i, [name, old]] of Object.entries(await module.stateDict()).entries()) {
    filled[name] = filledTensor(name, old, scale, seed + i);
  }
  module.loadStateDict(filled);
}

function filledTensor(name: string, { shape, dtype }: HostTensor, scale: number, seed: number): HostTensor {
  if (shape.length === 0) return { dtype, shape, bytes: new Uint8Array(BigInt64Array.of(5n).buffer) };
  const v = hashedValues(shape, seed);
  // In float32 after each operation, as torch computes it.
  const f = (map: (x: number) => number) => hostTensor(v.map(map), shape);
  const [weak, half] = [Math.fround(0.1), 0.5];
  if (shape.length === 4) return f((x) => x * Math.fround(scale));
  if (name.endsWith('running_var')) return f((x) => 1 + Math.fround(x * half));
  if (name.endsWith('weight')) return f((x) => 1 + Math.fround(x * weak));
  return f((x) => x * weak);
}

/** A result as the fixture keeps it: some values and the norm. */
export interface Sampled {
  shape: number[];
  stride: number;
  values: number[];
  norm: number;
}

/** A tensor with the values on the host, in PyTorch's layout where it has another on disk. */
export interface Seen {
  shape: readonly number[];
  values: ArrayLike<number>;
}

export function seen(tensor: tf.Tensor, like?: Parameter): Seen {
  const permute = like && diskFormat(like).permute;
  const moved = permute ? tf.transpose(tensor, [...permute]) : tensor;
  const result = { shape: moved.shape, values: moved.dataSync().slice() };
  if (moved !== tensor) moved.dispose();
  return result;
}

export async function seenState(module: Module): Promise<Record<string, Seen>> {
  const state = await module.stateDict();
  return Object.fromEntries(
    Object.entries(state).map(([name, t]) => [name, { shape: t.shape, values: toFloat32(t) }]),
  );
}

/** The largest difference of the sampled values, relative to the largest of them; also that of the norm. */
export function expectSampled(actual: Seen, expected: Sampled, tolerance: number, what: string): void {
  expect(actual.shape, what).toEqual(expected.shape);
  const scale = Math.max(...expected.values.map(Math.abs), 1e-6);
  let worst = 0;
  for (const [i, value] of expected.values.entries()) {
    worst = Math.max(worst, Math.abs(actual.values[i * expected.stride]! - value) / scale);
  }
  expect(worst, what).toBeLessThanOrEqual(tolerance);
  const norm = Math.sqrt(Array.from(actual.values).reduce((sum, x) => sum + x * x, 0));
  expect(Math.abs(norm - expected.norm), `norm of ${what}`).toBeLessThanOrEqual(tolerance * expected.norm);
}

export function expectAllSampled(
  actual: Record<string, Seen>,
  expected: Record<string, Sampled>,
  tolerance: number,
  what: string,
): void {
  expect(Object.keys(actual), what).toEqual(Object.keys(expected));
  for (const [name, sampled] of Object.entries(expected)) {
    expectSampled(actual[name]!, sampled, tolerance, `${what} ${name}`);
  }
}

/** An optimizer that also tells which gradients it got. */
export function watched(optimizer: Optimizer, grads: Record<string, Seen>): Optimizer {
  return {
    get count() {
      return optimizer.count;
    },
    learningRate: () => optimizer.learningRate(),
    step(parameters, given) {
      for (const [name, grad] of Object.entries(given)) grads[name] = seen(grad, parameters[name]);
      optimizer.step(parameters, given);
    },
    stateDict: () => optimizer.stateDict(),
    loadStateDict: (state, options) => optimizer.loadStateDict(state, options),
    dispose: () => optimizer.dispose(),
  };
}
