import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../src/backend';

export const current = process.env.POIESIS_TEST_BACKEND ?? 'cpu';

/** Runs `body` on another backend and brings its results home as host values. */
export async function onBackend(
  name: string,
  body: () => tf.Tensor[],
): Promise<{ shape: number[]; values: Float32Array }[]> {
  await useBackend(name);
  try {
    return tf.tidy(() => body().map((t) => ({ shape: t.shape, values: Float32Array.from(t.dataSync()) })));
  } finally {
    await useBackend(current);
  }
}

/** Fixed pseudo-random numbers in about [-1, 1], different for each `seed`. The caller disposes the tensor. */
export function numbers(shape: number[], seed = 1): tf.Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: n }, (_, i) => {
    const x = Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 43758.5453;
    return 2 * (x - Math.floor(x)) - 1;
  });
  return tf.tensor(values, shape);
}
