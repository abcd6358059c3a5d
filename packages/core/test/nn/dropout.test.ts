import { expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors';
import { Dropout, Sequential } from '../../src/nn';
import { dropout } from '../../src/ops';
import { randomKey } from '../../src/random';

const key = randomKey(3);
const values = (x: tf.Tensor) => Array.from(x.dataSync());

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

describe('Dropout in training', () => {
  test('drops its share, and scales the rest so that the mean stays', () => {
    const x = tf.ones([100, 100]);
    const y = values(new Dropout(0.3).forward(x, { key }));
    const dropped = y.filter((v) => v === 0).length;
    expect(Math.abs(dropped - 3000)).toBeLessThan(4 * Math.sqrt(10000 * 0.3 * 0.7));
    expect(y.every((v) => v === 0 || Math.abs(v - 1 / 0.7) < 1e-4)).toBe(true);
  });

  test('the same key drops the same elements, another one others', () => {
    const x = hashed([20, 20], 1);
    const layer = new Dropout();
    expect(values(layer.forward(x, { key }))).toEqual(values(layer.forward(x, { key })));
    expect(values(layer.forward(x, { key }))).not.toEqual(values(layer.forward(x, { key: key.fold(1) })));
  });

  test('two of them in a Sequential drop differently under one key', () => {
    const both = new Sequential([new Dropout(0.5), new Dropout(0.5)]);
    const y = values(both.forward(tf.ones([100, 100]), { key }));
    const left = y.filter((v) => v !== 0);
    expect(left.every((v) => v === 4)).toBe(true);
    expect(Math.abs(left.length - 2500)).toBeLessThan(200);
  });

  test('gradients pass where values do', () => {
    const x = hashed([10, 10], 1);
    const dx = tf.grad((z: tf.Tensor) => tf.sum(dropout(z, 0.4, { key })))(x);
    expect(tf.mul(dx, x)).toBeAllClose(dropout(x, 0.4, { key }));
  });

  test('a rate of 1 drops everything, one of 0 nothing and needs no key', () => {
    const x = hashed([4, 4], 1);
    expect(new Dropout(1).forward(x, { key })).toBeAllClose(tf.zeros([4, 4]));
    expect(values(new Dropout(0).forward(x))).toEqual(values(x));
  });

  test('without a key is an error', () => {
    expect(() => new Dropout(0.1).forward(tf.ones([2]))).toThrow(ArgumentError);
    expect(() => new Dropout(0.1).forward(tf.ones([2]))).toThrow(
      'Dropout.forward(context.key): expected a key, for a rate of 0.1 in training, got undefined',
    );
    expect(() => dropout(tf.ones([2]), 0.1)).toThrow('dropout(options.key)');
  });
});

test('in evaluation it is the identity, as a new tensor', () => {
  const x = hashed([4, 4], 1);
  const y = new Dropout(0.5).eval().forward(x);
  expect(values(y)).toEqual(values(x));
  y.dispose();
  expect(x.isDisposed).toBe(false);
});

test('a rate that is no probability is an error', () => {
  for (const rate of [-0.1, 1.5, Number.NaN]) expect(() => new Dropout(rate)).toThrow(ArgumentError);
  expect(() => dropout(tf.ones([2]), 2, { key })).toThrow('dropout(rate): expected a probability, got 2');
});

test('leaves no tensor behind', async () => {
  const layer = new Dropout(0.5);
  const x = hashed([4, 4], 1);
  await expectNoLeak(() => {
    tf.dispose([layer.forward(x, { key }), tf.grad((z: tf.Tensor) => layer.forward(z, { key }))(x)]);
  });
});
