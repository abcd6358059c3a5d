import { type HostTensor, hostTensor, type StateDict } from '@poiesis/core';
import { type Fixture, hashedValues, loadFixture } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** A tensor as the fixture script writes it. */
export interface Recorded {
  readonly shape: number[];
  readonly data: number[];
}

/** What fixtures/models.py wrote of a model of another library. */
export interface Case {
  readonly layout: 'huggingFace' | 'openClip';
  readonly config: unknown;
  readonly shapes: Record<string, number[]>;
  readonly tokens: number[][];
  readonly image: Recorded;
  readonly text: Recorded;
  readonly logits: Recorded;
  readonly loss: number;
  readonly gradients: Record<string, number[]>;
}

const fixture: Fixture = loadFixture(import.meta.url, '../../fixtures/models.json');
export const cases = fixture.cases as Record<string, Case>;
export const positions = fixture.positions as {
  from: [number, number];
  to: [number, number];
  antialias: boolean;
  grid: Recorded;
}[];

/** The weights that fixtures/models.py gave the model, under its names. */
export function stateOf({ shapes }: Case): StateDict {
  const names = Object.keys(shapes).sort((a, b) => (a < b ? -1 : 1));
  return Object.fromEntries(names.map((name, i) => [name, weight(name, shapes[name]!, 100 + i)]));
}

function weight(name: string, shape: number[], seed: number): HostTensor {
  const v = hashedValues(shape, seed);
  if (name === 'logit_scale') return hostTensor(v.fill(1.5), shape);
  if (name === 'logit_bias') return hostTensor(v.fill(-2), shape);
  // In float32 after each operation, as torch computes it.
  const tenth = Math.fround(0.1);
  const isNorm = shape.length === 1 && name.endsWith('weight');
  const factor = shape.length > 1 ? 0.5 : tenth;
  return hostTensor(isNorm ? v.map((x) => 1 + Math.fround(x * tenth)) : v.map((x) => x * factor), shape);
}

/** The pictures that fixtures/models.py gave it. */
export function pixelsOf(): tf.Tensor4D {
  return tf.tensor4d(hashedValues([3, 12, 12, 3], 1), [3, 12, 12, 3]);
}

export function tokensOf({ tokens }: Case): tf.Tensor2D {
  return tf.tensor2d(tokens, undefined, 'int32');
}

/** Compares with the norm and the few values that fixtures/models.py kept. */
export function expectSampled(values: Float32Array, expected: number[], tolerance: number, what: string) {
  const [norm, ...some] = expected as [number, ...number[]];
  const stride = Math.max(1, Math.floor(values.length / 4));
  // Values that cancel to about zero are measured by the tensor's root mean square.
  const scale = Math.max(...some.map(Math.abs), norm / Math.sqrt(values.length), 1e-6);
  const worst = Math.max(...some.map((x, i) => Math.abs(values[i * stride]! - x) / scale));
  const actual = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
  // Gradients of biases that softmax does not feel are zero up to rounding.
  if (norm > 1e-5) expect(worst, what).toBeLessThanOrEqual(tolerance);
  expect(Math.abs(actual - norm), `norm of ${what}`).toBeLessThanOrEqual(tolerance * Math.max(norm, 0.1));
}
