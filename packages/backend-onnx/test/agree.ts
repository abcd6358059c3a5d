import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { OnnxBackend } from '../src/backend';
import { onCpu } from './on-cpu';

/** How often each kernel ran on the cpu implementation so far. */
export function fallbacks(): Record<string, number> {
  return Object.fromEntries((tf.backend() as OnnxBackend).fallbacks);
}

/** The result is tfjs cpu's, in values, shape and dtype, and no kernel ran on the cpu implementation to get it. */
export function expectNative(run: () => tf.Tensor, tolerance = 1e-6): void {
  const before = fallbacks();
  const result = tf.tidy(run);
  const values = result.dataSync();
  expect(fallbacks(), 'kernels that fell back').toEqual(before);
  let cpu: { shape: number[]; dtype: string } | undefined;
  const expected = onCpu(() => {
    cpu = run();
    return cpu as tf.Tensor;
  });
  expect({ shape: result.shape, dtype: result.dtype }).toEqual({ shape: cpu!.shape, dtype: cpu!.dtype });
  if (result.dtype === 'float32') expect(result).toBeAllClose(expected, tolerance);
  else expect([...values]).toEqual([...expected]);
  result.dispose();
}
