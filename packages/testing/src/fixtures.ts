import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';

/** A tensor as the fixture scripts write it. */
export interface FixtureTensor {
  shape: number[];
  data: number[];
  dtype?: 'float32' | 'int32' | 'bool';
}

/** Whatever a script wrote: cases with tensors, options and losses. */
// biome-ignore lint/suspicious/noExplicitAny: fixtures are free-form JSON that each test knows the shape of
export type Fixture = any;

/** Reads a fixture: `loadFixture(import.meta.url, '../../fixtures/conv.json')`. */
export function loadFixture(from: string, path: string): Fixture {
  return JSON.parse(readFileSync(fileURLToPath(new URL(path, from)), 'utf8'));
}

/** The tensor that a fixture entry holds. The caller disposes it. */
export function tensorOf(t: FixtureTensor): tf.Tensor {
  return tf.tensor(t.data, t.shape, t.dtype ?? 'float32');
}
