import {
  ArgumentError,
  bernoulli,
  categorical,
  dropoutMask,
  type HostValues,
  hostBernoulli,
  hostDropoutMask,
  hostIntegers,
  hostNormal,
  hostTruncatedNormal,
  hostUniform,
  integers,
  normal,
  randomKey,
  setHostInputRecorder,
  truncatedNormal,
  uniform,
} from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { rebind, traceableKey } from '../../src/random';
import { chiSquare } from './statistics';

const key = randomKey(8);

describe('draws as tensors', () => {
  it.each([
    ['normal', () => normal(key, [3, 4], { std: 2 }), hostNormal(key, 12, { std: 2 }), 'float32'],
    ['uniform', () => uniform(key, [12]), hostUniform(key, 12), 'float32'],
    ['truncatedNormal', () => truncatedNormal(key, [2, 6]), hostTruncatedNormal(key, 12), 'float32'],
    ['bernoulli', () => bernoulli(key, 0.4, [12]), hostBernoulli(key, 0.4, 12), 'bool'],
    ['integers', () => integers(key, [4, 3], { max: 9 }), hostIntegers(key, 12, { max: 9 }), 'int32'],
    ['dropoutMask', () => dropoutMask(key, 0.5, [3, 4]), hostDropoutMask(key, 0.5, 12), 'float32'],
  ] as const)('%s has the bits of its host version', (_, draw, expected, dtype) => {
    const x: tf.Tensor = draw();
    expect(x.dtype).toBe(dtype);
    expect([...x.dataSync()].map(Number)).toEqual([...expected]);
    x.dispose();
  });

  it('draws scalars and empty tensors', () => {
    const scalar = normal(key, []);
    const empty = normal(key, [0, 3]);
    expect([scalar.shape, empty.shape]).toEqual([[], [0, 3]]);
    tf.dispose([scalar, empty]);
  });

  it('leaves nothing behind', async () => {
    const logits = tf.zeros([2, 3]);
    await expectNoLeak(() => {
      tf.dispose([normal(key, [5]), dropoutMask(key, 0.5, [5]), categorical(key, logits)]);
    });
    logits.dispose();
  });

  it('refuses bad shapes', () => {
    expect(() => normal(key, [2, -1])).toThrow('normal(shape): expected integers ≥ 0, got [2, -1]');
    expect(() => categorical(key, tf.scalar(1))).toThrow(ArgumentError);
    expect(() => categorical(key, tf.zeros([2, 3]), 0)).toThrow(ArgumentError);
  });
});

describe('categorical', () => {
  it('draws one class for each row', () => {
    const x = tf.tidy(() =>
      categorical(key, tf.tensor3d([0, -1 / 0, -1 / 0, -1 / 0, 0, -1 / 0, -1 / 0, -1 / 0, 0], [1, 3, 3])),
    );
    expect([x.shape, x.dtype]).toEqual([[1, 3], 'int32']);
    expect([...x.dataSync()]).toEqual([0, 1, 2]);
    x.dispose();
  });

  it('draws n for each row, with the probabilities softmax(logits)', () => {
    const n = 5000;
    const x = tf.tidy(() => categorical(key, tf.log(tf.tensor2d([1, 2, 7, 6, 3, 1], [2, 3])), n));
    expect(x.shape).toEqual([2, n]);
    const drawn = x.dataSync();
    const counts = [0, 1].map((row) => {
      const c = [0, 0, 0];
      for (const v of drawn.slice(row * n, (row + 1) * n)) c[v]! += 1;
      return c;
    });
    expect(Math.abs(chiSquare(counts[0]!, [500, 1000, 3500]))).toBeLessThan(4);
    expect(Math.abs(chiSquare(counts[1]!, [3000, 1500, 500]))).toBeLessThan(4);
    x.dispose();
  });
});

it('draws anew from a rebound key when a recorded input is made again', () => {
  const makes: (() => HostValues)[] = [];
  const root = traceableKey(randomKey(1));
  const before = setHostInputRecorder((make, shape, dtype) => {
    makes.push(make);
    return tf.tensor(make(), [...shape], dtype);
  });
  try {
    tf.dispose([normal(root.fold(1), [6]), dropoutMask(root.split(2)[1]!, 0.5, [6])]);
  } finally {
    setHostInputRecorder(before);
  }
  const other = randomKey(2);
  rebind(root, other);
  expect(makes.map((make) => [...make()])).toEqual([
    [...hostNormal(other.fold(1), 6)],
    [...hostDropoutMask(other.split(2)[1]!, 0.5, 6)],
  ]);
});
