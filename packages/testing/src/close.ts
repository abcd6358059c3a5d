import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

type Numbers = tf.Tensor | ArrayLike<number> | number;

/**
 * Largest error relative to the size of the expected values: `max|a − e| / max(max|e|, 1e-6)`.
 * Relative to the largest expected magnitude, so that entries that cancel to about zero do not decide.
 */
export function maxRelativeError(actual: Numbers, expected: Numbers): number {
  const a = values(actual);
  const e = values(expected);
  if (a.length !== e.length) throw new Error(`compared ${a.length} values with ${e.length}`);
  let scale = 1e-6;
  for (let i = 0; i < e.length; i++) scale = Math.max(scale, Math.abs(e[i]!));
  let worst = 0;
  for (let i = 0; i < e.length; i++) {
    const error = Math.abs(a[i]! - e[i]!);
    if (Number.isNaN(error) && !(Number.isNaN(a[i]) && Number.isNaN(e[i])) && a[i] !== e[i])
      return Number.NaN;
    if (error > worst) worst = error;
  }
  return worst / scale;
}

/** `expect(tensor).toBeAllClose(expected, 1e-5)`: same shape where both have one, same values within the tolerance. */
export function toBeAllClose(actual: Numbers, expected: Numbers, tolerance = 1e-5) {
  if (actual instanceof tf.Tensor && expected instanceof tf.Tensor) {
    if (actual.shape.join() !== expected.shape.join()) {
      return { pass: false, message: () => `expected shape [${expected.shape}], got [${actual.shape}]` };
    }
  }
  const error = maxRelativeError(actual, expected);
  return {
    pass: error <= tolerance,
    message: () => `max relative error ${error.toExponential(2)}, tolerance ${tolerance}`,
  };
}

expect.extend({ toBeAllClose });

declare module 'vitest' {
  interface Matchers<T> {
    toBeAllClose(expected: Numbers, tolerance?: number): T;
  }
}

function values(x: Numbers): ArrayLike<number> {
  if (typeof x === 'number') return [x];
  return x instanceof tf.Tensor ? x.dataSync() : x;
}
