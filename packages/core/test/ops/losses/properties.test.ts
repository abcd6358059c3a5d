import { checkGradients, expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError } from '../../../src/errors';
import {
  bceWithLogits,
  crossEntropy,
  hinge,
  hingeEmbedding,
  huber,
  klDivergence,
  l1,
  logSoftmax,
  mse,
  nll,
  oneHot,
  smoothL1,
  softmax,
} from '../../../src/ops';

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

const logits = () => tf.mul(hashed([6, 4], 1), 3);
const classes = () => tf.tensor1d([0, 3, 1, 1, 2, 0], 'int32');
const number = (x: tf.Tensor) => x.dataSync()[0]!;
const finite = (x: tf.Tensor) => Array.from(x.dataSync()).every(Number.isFinite);

describe('crossEntropy', () => {
  test('does not change when a row of logits moves', () => {
    const shift = tf.tensor2d([[50], [-300], [0], [7], [1], [2]]);
    const options = { reduction: 'none', labelSmoothing: 0.1 } as const;
    const moved = crossEntropy(tf.add(logits(), shift), classes(), options);
    expect(moved).toBeAllClose(crossEntropy(logits(), classes(), options), 1e-4);
  });

  test('its gradients sum to 0 in each row', () => {
    const dx = tf.grad((x: tf.Tensor) => crossEntropy(x, classes(), { labelSmoothing: 0.3 }))(logits());
    expect(tf.add(tf.sum(dx, -1), 1)).toBeAllClose(tf.ones([6]));
  });

  test('with smoothing is a mixture of the target and all classes', () => {
    const plain = crossEntropy(logits(), classes());
    const even = crossEntropy(logits(), tf.fill([6, 4], 0.25));
    const smooth = crossEntropy(logits(), classes(), { labelSmoothing: 0.2 });
    expect(smooth).toBeAllClose(tf.add(tf.mul(0.8, plain), tf.mul(0.2, even)));
  });

  test('of classes is that of their one-hot rows', () => {
    const weight = tf.tensor1d([1, 2, 0.5, 3]);
    for (const options of [{}, { labelSmoothing: 0.1 }, { weight }, { weight, labelSmoothing: 0.1 }]) {
      const all = { ...options, reduction: 'none' } as const;
      const rows = crossEntropy(logits(), oneHot(classes(), 4), all);
      expect(crossEntropy(logits(), classes(), all)).toBeAllClose(rows);
    }
  });

  test('is nll of logSoftmax', () => {
    const options = { weight: tf.tensor1d([1, 2, 0.5, 3]), ignoreIndex: 1 };
    expect(crossEntropy(logits(), classes(), options)).toBeAllClose(
      nll(logSoftmax(logits()), classes(), options),
    );
  });

  test('of uniform logits is log(classes), whatever the target', () => {
    expect(crossEntropy(tf.zeros([6, 4]), classes(), { reduction: 'none' })).toBeAllClose(
      tf.fill([6], Math.log(4)),
    );
  });

  test('does not see ignored rows, even where their logits are masked', () => {
    const x = tf.concat([logits(), tf.tensor2d([[Number.NEGATIVE_INFINITY, 1, 2, 3]])]);
    const t = tf.concat([classes(), tf.tensor1d([-100], 'int32')]);
    expect(crossEntropy(x, t)).toBeAllClose(crossEntropy(logits(), classes()));
    const dx = tf.grad((z: tf.Tensor) => crossEntropy(z, t))(x);
    expect(tf.slice(dx, [6, 0])).toBeAllClose(tf.zeros([1, 4]));
  });

  test('with nothing left is NaN, as in PyTorch', () => {
    const t = tf.fill([6], -100, 'int32');
    expect(number(crossEntropy(logits(), t))).toBeNaN();
    expect(number(crossEntropy(logits(), t, { reduction: 'sum' }))).toBe(0);
  });

  test('a masked class that is not the target costs nothing', () => {
    const x = tf.tensor2d([[1, Number.NEGATIVE_INFINITY, 2]]);
    const t = tf.tensor1d([0], 'int32');
    expect(number(crossEntropy(x, t))).toBeCloseTo(Math.log(1 + Math.E), 5);
    expect(finite(tf.grad((z: tf.Tensor) => crossEntropy(z, t))(x))).toBe(true);
  });

  test('is finite for logits of ±10000, with its gradient', () => {
    const x = tf.tensor2d([
      [1e4, -1e4, 0, 5],
      [-1e4, -1e4, 1e4, 1e4],
    ]);
    const t = tf.tensor1d([1, 0], 'int32');
    for (const options of [{}, { labelSmoothing: 0.1 }]) {
      const { value, grad } = tf.valueAndGrad((z: tf.Tensor) => crossEntropy(z, t, options))(x);
      expect(finite(value)).toBe(true);
      expect(finite(grad)).toBe(true);
    }
    const sure = crossEntropy(x, tf.tensor1d([0, 2], 'int32'), { reduction: 'none' });
    expect(sure).toBeAllClose([0, Math.LN2]);
  });

  test('takes any number of leading axes', () => {
    const x = hashed([2, 3, 2, 4], 2);
    const t = tf.zeros([2, 3, 2], 'int32');
    const rows = crossEntropy(x, t, { reduction: 'none' });
    expect(rows.shape).toEqual([2, 3, 2]);
    expect(crossEntropy(x, t)).toBeAllClose(tf.mean(rows));
  });

  test('has the gradient of finite differences', () => {
    checkGradients((x) => crossEntropy(x, classes(), { labelSmoothing: 0.1 }), [logits()]);
    checkGradients((x, q) => crossEntropy(x, softmax(q)), [logits(), hashed([6, 4], 2)]);
  });
});

describe('a class that does not exist', () => {
  const wrong = () =>
    tf.tensor2d(
      [
        [0, 1],
        [4, 1],
      ],
      [2, 2],
      'int32',
    );
  const x = () => hashed([2, 2, 4], 1);

  test('is an error that names it, where targets can be seen', () => {
    const message = 'crossEntropy(targets[2]): expected a class in [0, 4), got 4';
    expect(() => crossEntropy(x(), wrong())).toThrow(ArgumentError);
    expect(() => crossEntropy(x(), wrong())).toThrow(message);
    expect(() => nll(x(), wrong())).toThrow('nll(targets[2])');
    expect(() => oneHot(wrong(), 4)).toThrow('oneHot(indices[2])');
    const negative = tf.tensor2d([0, -1, 2, 1], [2, 2], 'int32');
    expect(() => crossEntropy(x(), negative)).toThrow('got -1');
    expect(() => crossEntropy(x(), wrong(), { ignoreIndex: 4 })).not.toThrow();
  });
});

describe('bceWithLogits', () => {
  test('is crossEntropy of the two classes with logits x and 0', () => {
    const x = hashed([8], 1);
    const t = tf.tensor1d([1, 0, 0, 1, 1, 0, 1, 0]);
    const two = tf.stack([tf.zerosLike(x), x], 1);
    expect(bceWithLogits(x, t)).toBeAllClose(crossEntropy(two, tf.cast(t, 'int32')));
  });

  test('keeps its digits where it is nearly 0', () => {
    const x = tf.tensor1d([10, -10, 30]);
    const losses = bceWithLogits(x, tf.tensor1d([1, 0, 1]), { reduction: 'none' }).dataSync();
    const exact = [10, 10, 30].map((z) => Math.log1p(Math.exp(-z)));
    losses.forEach((loss, i) => {
      expect(Math.abs(loss / exact[i]! - 1)).toBeLessThan(1e-5);
    });
  });

  test('is finite for logits of ±10000, with its gradient', () => {
    const x = tf.tensor1d([1e4, -1e4, 1e4, -1e4]);
    const t = tf.tensor1d([0, 1, 1, 0]);
    const { value, grad } = tf.valueAndGrad((z: tf.Tensor) => bceWithLogits(z, t))(x);
    expect(number(value)).toBe(5000);
    expect(grad).toBeAllClose([0.25, -0.25, 0, 0]);
  });

  test('takes integer and boolean targets', () => {
    const x = hashed([3], 1);
    const t = tf.tensor1d([1, 0, 1]);
    expect(bceWithLogits(x, tf.cast(t, 'bool'))).toBeAllClose(bceWithLogits(x, t));
    expect(bceWithLogits(x, tf.cast(t, 'int32'))).toBeAllClose(bceWithLogits(x, t));
  });
});

describe('losses of a difference', () => {
  const a = () => tf.mul(hashed([3, 5], 1), 3);
  const b = () => tf.mul(hashed([3, 5], 2), 3);

  test('are 0 for equal arguments, and symmetric', () => {
    for (const loss of [mse, l1, huber, smoothL1]) {
      expect(number(loss(a(), a()))).toBe(0);
      expect(loss(a(), b())).toBeAllClose(loss(b(), a()));
    }
  });

  test('huber lies between: half of mse for a large delta, delta · l1 − delta²/2 for a small one', () => {
    expect(huber(a(), b(), { delta: 100 })).toBeAllClose(tf.mul(mse(a(), b()), 0.5));
    const small = tf.sub(tf.mul(l1(a(), b()), 1e-3), 0.5e-6);
    expect(huber(a(), b(), { delta: 1e-3 })).toBeAllClose(small, 1e-4);
  });

  test('smoothL1 is huber over beta', () => {
    expect(tf.mul(smoothL1(a(), b(), { beta: 0.3 }), 0.3)).toBeAllClose(huber(a(), b(), { delta: 0.3 }));
  });

  test('a long sum keeps its digits', () => {
    const n = 1 << 20;
    const x = tf.fill([n], 0.1);
    expect(mse(x, tf.zeros([n]))).toBeAllClose([Math.fround(0.1) ** 2], 2e-6);
  });

  test('have finite gradients for differences of 10000', () => {
    for (const loss of [mse, l1, huber, smoothL1]) {
      const dx = tf.grad((x: tf.Tensor) => loss(x, tf.zeros([2])))(tf.tensor1d([1e4, -1e4]));
      expect(finite(dx)).toBe(true);
    }
  });
});

describe('klDivergence', () => {
  const p = () => softmax(hashed([4, 6], 1));
  const logQ = () => logSoftmax(hashed([4, 6], 2));

  test('is not negative, 0 for equal distributions', () => {
    const rows = tf.sum(klDivergence(logQ(), p(), { reduction: 'none' }), -1);
    expect(number(tf.min(rows))).toBeGreaterThan(0);
    expect(number(tf.abs(klDivergence(tf.log(p()), p(), { reduction: 'batchmean' })))).toBeLessThan(1e-6);
  });

  test('is cross-entropy minus entropy', () => {
    const entropy = tf.neg(tf.mean(tf.sum(tf.mul(p(), tf.log(p())), -1)));
    const cross = crossEntropy(logQ(), p());
    expect(klDivergence(logQ(), p(), { reduction: 'batchmean' })).toBeAllClose(tf.sub(cross, entropy), 1e-4);
  });

  test('a target of 0 contributes 0', () => {
    const t = tf.tensor2d([[0, 1]]);
    const x = tf.log(tf.tensor2d([[0.25, 0.75]]));
    expect(klDivergence(x, t, { reduction: 'none' })).toBeAllClose([0, -Math.log(0.75)]);
  });
});

test('hinge is 0 beyond the margin', () => {
  const y = tf.tensor1d([1, -1, 1]);
  expect(hinge(tf.tensor1d([1.5, -2, 0.25]), y, { reduction: 'none' })).toBeAllClose([0, 0, 0.75]);
  expect(hingeEmbedding(tf.tensor1d([0.5, 2, 0]), y, { reduction: 'none' })).toBeAllClose([0.5, 0, 0]);
});

describe('wrong input', () => {
  const x = tf.keep(tf.zeros([2, 3]));
  const t = tf.keep(tf.zeros([2], 'int32'));
  test.each<[string, () => unknown, string]>([
    [
      'target shape',
      () => crossEntropy(x, tf.zeros([3], 'int32')),
      'crossEntropy(targets): expected classes, int32 [2], or probabilities, float32 [2, 3], got "int32 [3]"',
    ],
    ['classes as floats', () => crossEntropy(x, tf.zeros([2])), 'got "float32 [2]"'],
    ['smoothing', () => crossEntropy(x, t, { labelSmoothing: 2 }), 'options.labelSmoothing'],
    [
      'weight',
      () => crossEntropy(x, t, { weight: tf.ones([2]) }),
      'crossEntropy(options.weight): expected [3], got [2]',
    ],
    ['ignoreIndex', () => crossEntropy(x, t, { ignoreIndex: 0.5 }), 'options.ignoreIndex'],
    ['nll of probabilities', () => nll(x, x), 'nll(targets): expected classes, int32 [2]'],
    [
      'bce shapes',
      () => bceWithLogits(x, tf.zeros([2, 1])),
      'bceWithLogits(targets): expected the shape [2, 3], got [2, 1]',
    ],
    ['bce weight', () => bceWithLogits(x, x, { weight: tf.ones([2]) }), 'broadcasts to [2, 3]'],
    ['mse shapes', () => mse(x, tf.zeros([3])), 'mse(target): expected the shape [2, 3], got [3]'],
    ['huber delta', () => huber(x, x, { delta: 0 }), 'huber(options.delta): expected a number > 0, got 0'],
    ['smoothL1 beta', () => smoothL1(x, x, { beta: -1 }), 'smoothL1(options.beta)'],
    ['kl shapes', () => klDivergence(x, tf.zeros([2])), 'klDivergence(target)'],
    ['hinge shapes', () => hinge(x, tf.zeros([2])), 'hinge(labels)'],
    ['one-hot type', () => oneHot(x, 3), 'oneHot(indices): expected a tensor of type int32, got "float32"'],
    ['one-hot classes', () => oneHot(t, 0), 'oneHot(classes): expected an integer > 0, got 0'],
    // @ts-expect-error: what JavaScript callers can do
    ['reduction', () => mse(x, x, { reduction: 'avg' }), "'mean' | 'sum' | 'none', got \"avg\""],
    // @ts-expect-error: batchmean is klDivergence's alone
    ['batchmean', () => l1(x, x, { reduction: 'batchmean' }), 'l1(options.reduction)'],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });
});

test('no loss leaves a tensor behind', async () => {
  const weight = tf.ones([4]);
  const calls: ((x: tf.Tensor) => tf.Tensor)[] = [
    (x) => crossEntropy(x, classes()),
    (x) => crossEntropy(x, classes(), { weight, labelSmoothing: 0.1, ignoreIndex: 1 }),
    (x) => crossEntropy(x, softmax(x)),
    (x) => nll(x, classes(), { weight }),
    (x) => bceWithLogits(x, softmax(x), { posWeight: weight }),
    (x) => mse(x, softmax(x)),
    (x) => l1(x, softmax(x)),
    (x) => huber(x, softmax(x)),
    (x) => smoothL1(x, softmax(x)),
    (x) => klDivergence(x, softmax(x)),
    (x) => hinge(x, softmax(x)),
    (x) => hingeEmbedding(x, softmax(x)),
  ];
  for (const loss of calls) {
    await expectNoLeak(() => {
      tf.tidy(() => {
        const x = logits();
        tf.dispose(tf.valueAndGrad((z: tf.Tensor) => loss(z))(x));
        const squared = (z: tf.Tensor) => tf.square(loss(z));
        tf.dispose(tf.grad((z: tf.Tensor) => tf.sum(tf.square(tf.grad(squared)(z))))(x));
      });
    });
  }
});

test('values alone are disposed by one call', async () => {
  const [x, t] = [logits(), classes()];
  await expectNoLeak(() => tf.dispose([mse(x, x), crossEntropy(x, t), nll(x, t), klDivergence(x, x)]));
});
