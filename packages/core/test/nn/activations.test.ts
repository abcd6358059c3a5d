import { expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors';
import {
  ELU,
  GELU,
  type Layer,
  LeakyReLU,
  QuickGELU,
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from '../../src/nn';
import * as ops from '../../src/ops';

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

const layers: [string, Layer, (x: tf.Tensor) => tf.Tensor][] = [
  ['ReLU', new ReLU(), ops.relu],
  ['LeakyReLU', new LeakyReLU(), (x) => ops.leakyRelu(x, 0.01)],
  ['LeakyReLU 0.2', new LeakyReLU(0.2), (x) => ops.leakyRelu(x, 0.2)],
  ['ELU', new ELU(), ops.elu],
  ['ELU 0.5', new ELU(0.5), (x) => ops.elu(x, 0.5)],
  ['GELU', new GELU(), (x) => ops.gelu(x)],
  ['GELU tanh', new GELU('tanh'), (x) => ops.gelu(x, 'tanh')],
  ['QuickGELU', new QuickGELU(), ops.quickGelu],
  ['SiLU', new SiLU(), ops.silu],
  ['Tanh', new Tanh(), ops.tanh],
  ['Sigmoid', new Sigmoid(), ops.sigmoid],
  ['Softplus', new Softplus(), (x) => ops.softplus(x)],
  [
    'Softplus, sharper',
    new Softplus({ beta: 3, threshold: 1 }),
    (x) => ops.softplus(x, { beta: 3, threshold: 1 }),
  ],
  ['Softmax', new Softmax(), (x) => ops.softmax(x)],
  ['Softmax over axis 1', new Softmax(1), (x) => ops.softmax(x, 1)],
];

test.each(layers)('%s is its function, without parameters', async (_, layer, f) => {
  const x = tf.mul(hashed([2, 3, 4], 1), 3);
  const y = layer.forward(x);
  expect(y).toBeAllClose(f(x), 1e-7);
  expect(y.shape).toEqual(x.shape);
  expect(Object.keys(layer.namedParameters())).toEqual([]);
  await expectNoLeak(() => layer.forward(x).dispose());
});

test('in a Sequential, gradients go through all of them', () => {
  const all = new Sequential(layers.map(([, layer]) => layer));
  const dx = tf.grad((x: tf.Tensor) => tf.sum(tf.square(all.forward(x))))(hashed([2, 3, 4], 1));
  expect(Array.from(dx.dataSync()).every(Number.isFinite)).toBe(true);
});

test('wrong input', () => {
  // @ts-expect-error: what JavaScript callers can do
  expect(() => new GELU('exact')).toThrow(ArgumentError);
  expect(() => new Softmax(2).forward(tf.zeros([2, 2]))).toThrow(ArgumentError);
});
