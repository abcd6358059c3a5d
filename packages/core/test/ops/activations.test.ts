import { checkGradients, expectNoLeak, hashed, loadFixture } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors';
import * as ops from '../../src/ops';
import { type Case, expectAsPyTorch } from './differentiated';

type Activation = (x: tf.Tensor, ...args: unknown[]) => tf.Tensor;
const functions = {
  elu: ops.elu,
  exp: ops.exp,
  gelu: ops.gelu,
  leakyRelu: ops.leakyRelu,
  logSigmoid: ops.logSigmoid,
  logSoftmax: ops.logSoftmax,
  logSumExp: ops.logSumExp,
  quickGelu: ops.quickGelu,
  relu: ops.relu,
  sigmoid: ops.sigmoid,
  silu: ops.silu,
  softmax: ops.softmax,
  softplus: ops.softplus,
  tanh: ops.tanh,
} as unknown as Record<string, Activation>;
const fixture: Record<string, (Case & { args: unknown[] })[]> = loadFixture(
  import.meta.url,
  '../../fixtures/activations.json',
);

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

test('the fixture knows every function', () => {
  expect(Object.keys(fixture).sort()).toEqual(Object.keys(functions).sort());
});

describe.each(Object.entries(functions))('%s', (name, op) => {
  test.each(fixture[name]!)('as PyTorch: $name', (c) => {
    expectAsPyTorch(c, ({ x }) => op(x!, ...c.args));
  });

  test('has a third gradient', () => {
    // Along one direction: d³/dt³ against differences of d²/dt².
    const along = (t: tf.Tensor) => {
      const y = op(tf.add(hashed([3, 4], 5), tf.mul(t, hashed([3, 4], 8))));
      return tf.sum(tf.mul(tf.mul(tf.square(y), y), hashed(y.shape, 6))) as tf.Scalar;
    };
    const twice = (t: tf.Tensor) => tf.grad(tf.grad(along))(t) as tf.Scalar;
    checkGradients(twice, [tf.scalar(0.1)]);
  });

  test('is finite at ±10000, with its gradient', () => {
    const far = tf.tensor2d([-1e4, 1e4, -200, 200, -89, 89], [3, 2]);
    if (name !== 'exp') expect(finite(op(far)), 'value').toBe(true);
    const slope = tf.grad((x: tf.Tensor) => tf.sum(op(x)))(far);
    if (name !== 'exp') expect(finite(slope), 'gradient').toBe(true);
  });

  test('leaves no tensor behind', async () => {
    await expectNoLeak(() => {
      const x = hashed([3, 4], 5);
      const { value, grad } = tf.valueAndGrad((input: tf.Tensor) => tf.sum(op(input)))(x);
      const second = tf.grad((input: tf.Tensor) =>
        tf.sum(tf.square(tf.grad((z: tf.Tensor) => tf.sum(tf.square(op(z))))(input))),
      )(x);
      tf.dispose([x, value, grad, second, op(x)]);
    });
  });
});

function finite(x: tf.Tensor): boolean {
  return Array.from(x.dataSync()).every(Number.isFinite);
}

describe('at the edges', () => {
  const slopeAt = (op: Activation, x: number) =>
    tf
      .grad((z: tf.Tensor) => op(z))(tf.scalar(x))
      .dataSync()[0];

  test('gradients at 0 are PyTorch’s', () => {
    expect(slopeAt(functions.relu!, 0)).toBe(0);
    expect(slopeAt((x) => ops.leakyRelu(x, 0.25), 0)).toBe(0.25);
    expect(slopeAt((x) => ops.elu(x, 0.5), 0)).toBe(0.5);
    expect(slopeAt(functions.logSigmoid!, 0)).toBe(0.5);
  });

  test('NaN stays NaN', () => {
    const x = tf.tensor1d([Number.NaN, 1]);
    for (const name of ['relu', 'leakyRelu', 'gelu', 'silu', 'tanh', 'sigmoid', 'softplus']) {
      expect(functions[name]!(x).dataSync()[0], name).toBeNaN();
    }
  });

  test('erf is precise enough for gelu at every argument', () => {
    const xs = Float32Array.from({ length: 2001 }, (_, i) => (i - 1000) / 125);
    const exact = Float32Array.from(xs, (x) => x * 0.5 * (1 + erf(x / Math.SQRT2)));
    const slopes = Float32Array.from(
      xs,
      (x) => 0.5 * (1 + erf(x / Math.SQRT2)) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
    );
    const x = tf.tensor1d(xs);
    const y = ops.gelu(x).dataSync();
    const dy = tf
      .grad((z: tf.Tensor) => tf.sum(ops.gelu(z)))(x)
      .dataSync();
    xs.forEach((_, i) => {
      expect(Math.abs(y[i]! - exact[i]!)).toBeLessThan(1e-6);
      expect(Math.abs(dy[i]! - slopes[i]!)).toBeLessThan(1e-6);
    });
  });

  test('a masked logit has probability 0', () => {
    const x = tf.tensor2d([[1, Number.NEGATIVE_INFINITY, 2]]);
    expect(ops.softmax(x).dataSync()[1]).toBe(0);
    expect(ops.logSumExp(x)).toBeAllClose([Math.log(Math.E + Math.E ** 2)]);
    expect(finite(tf.grad((z: tf.Tensor) => ops.logSumExp(z))(x))).toBe(true);
  });
});

describe('properties', () => {
  const x = tf.keep(hashed([5, 7], 3));

  test('gelu and silu: f(x) − f(−x) is x', () => {
    for (const f of [ops.gelu, ops.silu, ops.quickGelu, (z: tf.Tensor) => ops.gelu(z, 'tanh')]) {
      expect(tf.sub(f(x), f(tf.neg(x)))).toBeAllClose(x);
    }
  });

  test('leakyRelu is relu(x) − α · relu(−x)', () => {
    const other = tf.sub(ops.relu(x), tf.mul(0.3, ops.relu(tf.neg(x))));
    expect(ops.leakyRelu(x, 0.3)).toBeAllClose(other);
  });

  test('softplus of beta comes near relu', () => {
    expect(ops.softplus(x, { beta: 1000 })).toBeAllClose(ops.relu(x), 1e-3);
  });

  test('softmax does not change when all logits move', () => {
    expect(ops.softmax(tf.add(x, 300))).toBeAllClose(ops.softmax(x), 1e-4);
    expect(tf.sum(ops.softmax(x), -1)).toBeAllClose(tf.ones([5]));
  });

  test('logSoftmax is log(softmax)', () => {
    expect(ops.logSoftmax(x, 0)).toBeAllClose(tf.log(ops.softmax(x, 0)));
  });
});

test('wrong input', () => {
  const x = tf.zeros([2, 3]);
  expect(() => ops.softmax(x, 2)).toThrow('softmax(axis): expected an axis of [2, 3], got 2');
  expect(() => ops.logSoftmax(x, -3)).toThrow(ArgumentError);
  expect(() => ops.logSumExp(tf.scalar(1))).toThrow(ArgumentError);
  expect(() => ops.softplus(x, { beta: 0 })).toThrow('softplus(options.beta)');
  // @ts-expect-error: what JavaScript callers can do
  expect(() => ops.gelu(x, 'erf')).toThrow("gelu(approximate): expected 'none' or 'tanh', got \"erf\"");
});

/** erf in double precision: the series near 0, the continued fraction far from it. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let sum = 0;
    for (let n = 0, term = a; n < 100; n++, term *= (-a * a) / n) sum += term / (2 * n + 1);
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}
