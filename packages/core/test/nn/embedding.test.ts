import { expectNoLeak, type Fixture, hashed, hashedGradients, loadFixture, tensorOf } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors';
import { Embedding } from '../../src/nn';
import { embedding } from '../../src/ops';
import { randomKey } from '../../src/random';
import { hashedOnDisk } from './hashed';

const fixture = loadFixture(import.meta.url, '../../fixtures/linear.json');
const key = randomKey(3);

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

describe('embedding', () => {
  test.each<Fixture>(fixture.embedding)('of $ids is PyTorch’s', (c) => {
    const ids = tf.tensor(c.ids, undefined, 'int32');
    const f = (w: tf.Tensor) => embedding(ids, w, { paddingIdx: c.paddingIdx });
    expect(f(hashed([5, 3], 2))).toBeAllClose(tensorOf(c.y), 1e-5);
    expect(hashedGradients((w) => f(w!), [hashed([5, 3], 2)], 4)[0]).toBeAllClose(tensorOf(c.dw), 1e-4);
  });

  test('takes plain numbers', () => {
    const weight = hashed([5, 3], 2);
    const expected = embedding(tf.tensor2d([[0, 4]], undefined, 'int32'), weight);
    expect(embedding([[0, 4]], weight)).toBeAllClose(expected, 0);
    expect(embedding(Int32Array.of(0, 4), weight)).toBeAllClose(tf.reshape(expected, [2, 3]), 0);
    expect(embedding([4], weight).shape).toEqual([1, 3]);
  });

  test('names an id outside the table', () => {
    const weight = tf.zeros([5, 3]);
    const at1 = 'embedding(ids[1]): expected an integer in [0, 5), got 5';
    expect(() => embedding([0, 5], weight)).toThrow(at1);
    expect(() => embedding([0, 5], weight)).toThrow(ArgumentError);
    expect(() => embedding(tf.tensor1d([0, 5], 'int32'), weight)).toThrow(at1);
    expect(() => embedding(tf.tensor2d([[-1, 0]], [1, 2], 'int32'), weight)).toThrow(ArgumentError);
    expect(() => embedding([0.5], weight)).toThrow(ArgumentError);
    expect(() => embedding([[1, 2], [3]], weight)).toThrow('embedding(ids): expected rows of equal length');
    expect(() => embedding(tf.tensor1d([0, 1]), weight)).toThrow('a tensor of type int32, got "float32"');
    expect(() => embedding([0], weight, { paddingIdx: 5 })).toThrow('embedding(options.paddingIdx)');
  });
});

describe('Embedding', () => {
  test('starts at N(0, 1), its padding at zero', () => {
    const layer = new Embedding(200, 50, { key, paddingIdx: -200 });
    expect(layer.paddingIdx).toBe(0);
    const w = layer.weight.dataSync();
    expect(w.subarray(0, 50).every((value) => value === 0)).toBe(true);
    const rest = w.subarray(50);
    expect(Math.hypot(...rest) / Math.sqrt(rest.length)).toBeCloseTo(1, 1);
    layer.dispose();
  });

  test('saves and loads under PyTorch’s name', async () => {
    const layer = new Embedding(5, 3, { key });
    layer.loadStateDict({ weight: hashedOnDisk([5, 3], 2) });
    expect(layer.forward([[0, 2, 2], [4, 1, 0]])).toBeAllClose(tensorOf(fixture.embedding[0].y), 1e-5); // biome-ignore format: one matrix
    expect(await layer.stateDict()).toEqual({ weight: hashedOnDisk([5, 3], 2) });
    layer.dispose();
  });

  test('leaves nothing behind', async () => {
    const layer = new Embedding(5, 3, { key, paddingIdx: 1 });
    const ids = tf.tensor1d([1, 2], 'int32');
    await expectNoLeak(() => layer.forward(ids).dispose());
    await expectNoLeak(() => layer.forward([1, 2]).dispose());
    await expectNoLeak(() => new Embedding(5, 3, { key, paddingIdx: 1 }).dispose());
    layer.dispose();
  });
});
