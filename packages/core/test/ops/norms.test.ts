import { checkGradients, expectNoLeak, hashed, loadFixture, tensorOf } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors';
import { batchNorm, groupNorm, instanceNorm, layerNorm, rmsNorm } from '../../src/ops';
import { type Case, expectAsPyTorch, type FixtureTensor, given, type Spec } from './differentiated';

interface WithRunning extends Case {
  running: Partial<Record<'runningMean' | 'runningVar', Spec>>;
  after: Partial<Record<'runningMean' | 'runningVar', FixtureTensor>>;
}
interface Fixture {
  batchNorm: WithRunning[];
  instanceNorm: WithRunning[];
  layerNorm: (Case & { axes: number[] })[];
  rmsNorm: (Case & { axes: number[] })[];
  groupNorm: (Case & { groups: number })[];
}
const fixture: Fixture = loadFixture(import.meta.url, '../../fixtures/norms.json');

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

describe('as PyTorch', () => {
  test.each(fixture.layerNorm)('layerNorm: $name', (c) => {
    expectAsPyTorch(c, ({ x, weight, bias }) => layerNorm(x!, c.axes, { weight, bias, ...c.options }));
  });

  test.each(fixture.rmsNorm)('rmsNorm: $name', (c) => {
    expectAsPyTorch(c, ({ x, weight }) => rmsNorm(x!, c.axes, { weight, ...c.options }));
  });

  test.each(fixture.groupNorm)('groupNorm: $name', (c) => {
    expectAsPyTorch(c, ({ x, weight, bias }) => groupNorm(x!, c.groups, { weight, bias, ...c.options }));
  });

  const withRunning = [
    ...fixture.batchNorm.map((c) => ({ ...c, op: batchNorm, title: `batchNorm: ${c.name}` })),
    ...fixture.instanceNorm.map((c) => ({ ...c, op: instanceNorm, title: `instanceNorm: ${c.name}` })),
  ];
  test.each(withRunning)('$title', ({ op, ...c }) => {
    const fresh = () =>
      Object.fromEntries(Object.entries(c.running).map(([k, spec]) => [k, tf.variable(given(spec), false)]));
    expectAsPyTorch(c, ({ x, weight, bias }) => op(x!, { weight, bias, ...fresh(), ...c.options }));
    const running = fresh();
    op(given(c.inputs.x!), { ...running, ...c.options });
    for (const [name, variable] of Object.entries(running)) {
      expect(variable, name).toBeAllClose(tensorOf(c.after[name as 'runningMean']!), 1e-5);
    }
    tf.dispose(running);
  });
});

const ops: Record<string, { op: (x: tf.Tensor) => tf.Tensor; shape: number[] }> = {
  'batchNorm in training': { op: (x) => batchNorm(x, { training: true }), shape: [4, 3, 2] },
  layerNorm: { op: (x) => layerNorm(x, [3, 2]), shape: [4, 3, 2] },
  rmsNorm: { op: (x) => rmsNorm(x, 4), shape: [3, 4] },
  'groupNorm by 2': { op: (x) => groupNorm(x, 2), shape: [2, 3, 4] },
  instanceNorm: { op: (x) => instanceNorm(x), shape: [2, 5, 3] },
};

describe.each(Object.entries(ops))('%s', (_, { op, shape }) => {
  test('has the gradient of finite differences', () => {
    checkGradients(op, [hashed(shape, 5)]);
  });

  test('has the second gradient of finite differences', () => {
    const penalty = (x: tf.Tensor) => {
      const dx = tf.grad((input: tf.Tensor) => tf.sum(tf.mul(op(input), hashed(shape, 6))))(x);
      return tf.sum(tf.square(dx));
    };
    checkGradients(penalty, [hashed(shape, 5)]);
  });

  test('has a third gradient', () => {
    // Scalars per element, differentiated along one direction: d³/dt³ at t = 0 against differences of d²/dt².
    const along = (t: tf.Tensor) => {
      const x = tf.add(hashed(shape, 5), tf.mul(t, hashed(shape, 8)));
      return tf.sum(tf.mul(op(x), hashed(shape, 6))) as tf.Scalar;
    };
    const twice = (t: tf.Tensor) => tf.grad(tf.grad(along))(t) as tf.Scalar;
    checkGradients(twice, [tf.scalar(0.1)], { tolerance: 3e-2 });
  });

  test('does not change when its input is scaled', () => {
    const x = hashed(shape, 5);
    expect(op(tf.mul(x, 100))).toBeAllClose(op(x), 1e-3);
  });

  test('of its own result is that result', () => {
    const y = op(hashed(shape, 5));
    expect(op(y)).toBeAllClose(y, 1e-3);
  });

  test('refuses what is not float32', () => {
    expect(() => op(tf.zeros(shape, 'int32'))).toThrow(ArgumentError);
  });

  test('leaves no tensor behind', async () => {
    await expectNoLeak(() => {
      const x = hashed(shape, 5);
      const { value, grad } = tf.valueAndGrad((input: tf.Tensor) => tf.sum(op(input)))(x);
      tf.dispose([x, value, grad, op(x)]);
    });
  });
});

test('a constant input gives zeros, with finite gradients', () => {
  for (const { op, shape } of Object.values(ops)) {
    if (op === ops.rmsNorm!.op) continue;
    const x = tf.fill(shape, 3);
    expect(op(x)).toBeAllClose(tf.zeros(shape));
    const dx = tf.grad((input: tf.Tensor) => tf.sum(tf.mul(op(input), hashed(shape, 6))))(x);
    expect(Array.from(dx.dataSync()).every(Number.isFinite)).toBe(true);
  }
});

test('means far from zero do not cost accuracy', () => {
  const x = hashed([64, 8, 8, 3], 1);
  const near = batchNorm(x, { training: true });
  const far = batchNorm(tf.add(x, 64), { training: true }); // 64 + x keeps 2⁻¹⁷ of x, and no more is lost
  expect(far).toBeAllClose(near, 3e-5);
});

describe('wrong input', () => {
  const x = tf.keep(tf.zeros([2, 3, 4]));
  test.each<[string, () => unknown, string]>([
    [
      'one value per channel',
      () => batchNorm(tf.zeros([1, 3]), { training: true }),
      'batchNorm(x): expected more than one value per channel in training, got [1, 3]',
    ],
    [
      'no statistics in evaluation',
      () => batchNorm(x),
      'batchNorm(options.runningMean): expected running statistics, or training, got null',
    ],
    [
      'running statistics that cannot be updated',
      () => batchNorm(x, { training: true, runningMean: tf.zeros([4]), runningVar: tf.ones([4]) }),
      'batchNorm(options.runningMean): expected a variable (training updates it in place), got a tensor of shape [4]',
    ],
    [
      'half of them',
      () => batchNorm(x, { runningMean: tf.zeros([4]) }),
      'batchNorm(options.runningVar): expected runningMean and runningVar, or neither, got undefined',
    ],
    [
      'weight',
      () => batchNorm(x, { training: true, weight: tf.zeros([3]) }),
      'batchNorm(options.weight): expected [4], got [3]',
    ],
    [
      'eps',
      () => batchNorm(x, { training: true, eps: -1 }),
      'batchNorm(options.eps): expected a number ≥ 0, got -1',
    ],
    ['rank', () => batchNorm(tf.zeros([3])), 'batchNorm(x): expected [batch, ..., channels], got [3]'],
    ['axes', () => layerNorm(x, [4, 4]), 'layerNorm(x): expected [..., 4, 4], got [2, 3, 4]'],
    [
      'no axes',
      () => layerNorm(x, []),
      'layerNorm(normalizedShape): expected lengths of the last axes, got []',
    ],
    ['rms axes', () => rmsNorm(x, 3), 'rmsNorm(x): expected [..., 3], got [2, 3, 4]'],
    ['groups', () => groupNorm(x, 3), 'groupNorm(groups): expected a divisor of 4 channels, got 3'],
    [
      'one pixel',
      () => instanceNorm(tf.zeros([2, 1, 1, 4])),
      'instanceNorm(x): expected more than one pixel, got [2, 1, 1, 4]',
    ],
    [
      'no statistics to use',
      () => instanceNorm(x, { useInputStats: false }),
      'instanceNorm(options.runningMean): expected running statistics, got null',
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });
});
