import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { onCpu } from '../on-cpu';

const values = [Number.NaN, Infinity, -Infinity, 0, -0, 1e-37, -1e-37, 1e-20, 0.5, -0.5, 1, -1, 3e38, -3e38];

it.each([0, 0.2, 1, -0.5, 3])('tf.step with alpha %f', (alpha) => {
  // Several times, for both the vector part of the loop and what is left over.
  const step = () => tf.step(tf.tensor1d([...values, ...values, ...values, ...values, Number.NaN]), alpha);
  const plain = (x: ArrayLike<number>) => Array.from(x, (v) => v + 0); // of zeros, either sign will do
  expect(plain(step().dataSync())).toEqual(plain(onCpu(step)));
});
