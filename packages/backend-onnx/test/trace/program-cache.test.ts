import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import type { OnnxBackend } from '../../src/backend';

it('once drops what it has compiled, and keeps the rest', () => {
  const { programs } = tf.backend() as OnnxBackend;
  const read = (size: number) => Array.from(tf.tidy(() => tf.add(tf.range(0, size), 1)).dataSync());
  read(3);
  const kept = programs.size;
  programs.once(() => {
    expect(read(3)).toEqual([1, 2, 3]);
    expect(read(4)).toEqual([1, 2, 3, 4]);
    expect(programs.size).toBe(kept + 1);
  });
  expect(programs.size).toBe(kept);
  const { compiled } = programs.statistics;
  read(3);
  expect(programs.statistics.compiled).toBe(compiled);
  expect(read(4)).toEqual([1, 2, 3, 4]);
});
