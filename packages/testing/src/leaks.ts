import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** Runs `body` twice (the first call may fill caches) and demands that the second leaves no tensor behind. */
export async function expectNoLeak(body: () => unknown | Promise<unknown>): Promise<void> {
  await body();
  const before = tf.memory();
  await body();
  const after = tf.memory();
  expect(after.numTensors, 'tensors left behind').toBe(before.numTensors);
  expect(after.numDataBuffers, 'data buffers left behind').toBe(before.numDataBuffers);
}
