import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { numbers } from './on-cpu';

/** Runs a whole program on tfjs's cpu backend and on this one. */
async function both<T>(program: () => T | Promise<T>): Promise<{ cpu: T; onnx: T }> {
  tf.setBackend('cpu');
  const cpu = await program();
  tf.setBackend('onnx');
  return { cpu, onnx: await program() };
}

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-4) {
  expect(actual).toHaveLength(expected.length);
  for (let i = 0; i < expected.length; i++)
    expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(expected[i]!)),
    );
}

describe('a plain tfjs program', () => {
  afterAll(() => void tf.setBackend('onnx'));

  it.each([
    ['sgd', () => tf.train.sgd(0.05)],
    ['momentum', () => tf.train.momentum(0.02, 0.9)],
    ['nesterov', () => tf.train.momentum(0.02, 0.9, true)],
    ['adam', () => tf.train.adam(0.02)],
    ['adamax', () => tf.train.adamax(0.02)],
    ['adagrad', () => tf.train.adagrad(0.1)],
    ['adadelta', () => tf.train.adadelta(0.01)],
    ['rmsprop', () => tf.train.rmsprop(0.01)],
    ['centered rmsprop', () => tf.train.rmsprop(0.01, 0.9, 0, 1e-7, true)],
  ])('fits a polynomial with %s as on cpu', async (_, make) => {
    const { cpu, onnx } = await both(() => {
      const [a, b, c] = [
        tf.variable(tf.scalar(0.3)),
        tf.variable(tf.scalar(-0.2)),
        tf.variable(tf.scalar(0.1)),
      ];
      const x = numbers([16]);
      const y = tf.add(tf.sub(tf.square(x), x), 2);
      const loss = () =>
        tf.mean(
          tf.squaredDifference(tf.add(tf.add(tf.mul(a, tf.square(x)), tf.mul(b, x)), c), y),
        ) as tf.Scalar;
      const optimizer = make();
      return Array.from({ length: 50 }, () => optimizer.minimize(loss, true)!.dataSync()[0]!);
    });
    close(onnx, cpu);
  });

  it('takes gradients of every order, of variables and custom functions', async () => {
    const { cpu, onnx } = await both(() =>
      tf.tidy(() => {
        const x = numbers([6], 3);
        const cubic = (t: tf.Tensor) => tf.sum(tf.mul(tf.mul(t, t), t));
        const clipped = tf.customGrad((t) => {
          const input = t as tf.Tensor;
          return {
            value: tf.sinh(input),
            gradFunc: (dy: tf.Tensor) => tf.clipByValue(tf.mul(dy, input), -1, 1),
          };
        });
        const v = tf.variable(x);
        const { value, grads } = tf.variableGrads(() => tf.logSumExp(tf.mul(v, 2)) as tf.Scalar, [v]);
        return [
          tf.grad(cubic)(x),
          tf.grad((t) => tf.sum(tf.grad(cubic)(t)))(x),
          tf.grad((t) => tf.sum(clipped(t)))(x),
          value,
          grads[v.name]!,
        ].flatMap((t) => [...t.dataSync()]);
      }),
    );
    close(onnx, cpu);
  });

  it('saves and loads its weights', async () => {
    const named = {
      kernel: numbers([3, 2]),
      steps: tf.tensor([7], [1], 'int32'),
      on: tf.tensor([true, false], [2], 'bool'),
    };
    const computed = tf.mul(named.kernel, 2);
    const { data, specs } = await tf.io.encodeWeights({ ...named, computed });
    const decoded = tf.io.decodeWeights(data, specs);
    for (const [name, tensor] of Object.entries({ ...named, computed })) {
      expect([...decoded[name]!.dataSync()]).toEqual([...tensor.dataSync()]);
    }
  });

  it('prints, measures and keeps books', async () => {
    const before = tf.memory().numTensors;
    const y = tf.tidy(() => tf.softmax(tf.ones([2, 2])));
    expect(y.toString()).toContain('0.5');
    expect(await y.array()).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
    expect(tf.memory().numTensors).toBe(before + 1);
    y.dispose();
    const { kernelMs, wallMs } = await tf.time(() =>
      tf.matMul(numbers([8, 8]) as tf.Tensor2D, numbers([8, 8]) as tf.Tensor2D),
    );
    expect(kernelMs).toBeGreaterThan(0);
    expect(wallMs).toBeGreaterThan(0);
  });

  it('moves tensors between backends', () => {
    tf.setBackend('onnx');
    const x = tf.exp(tf.tensor([0, 1]));
    tf.setBackend('cpu');
    const y = tf.add(x, 1);
    tf.setBackend('onnx');
    close(tf.mul(y, 2).dataSync(), [4, 2 * (Math.E + 1)], 1e-6);
  });
});

describe('a converted graph model', () => {
  beforeEach(() => void tf.setBackend('onnx'));

  it('predicts as on cpu', async () => {
    const weights = { w: numbers([4, 3]), b: numbers([3], 2) };
    const type = (key: string) => ({ type: key });
    const T = { T: type('DT_FLOAT') };
    const constant = (name: string, shape: number[]) => ({
      name,
      op: 'Const',
      attr: {
        dtype: type('DT_FLOAT'),
        value: {
          tensor: { dtype: 'DT_FLOAT', tensorShape: { dim: shape.map((size) => ({ size: `${size}` })) } },
        },
      },
    });
    const node = [
      {
        name: 'x',
        op: 'Placeholder',
        attr: { dtype: type('DT_FLOAT'), shape: { shape: { dim: [{ size: '-1' }, { size: '4' }] } } },
      },
      constant('w', [4, 3]),
      constant('b', [3]),
      {
        name: 'product',
        op: 'MatMul',
        input: ['x', 'w'],
        attr: { ...T, transpose_a: { b: false }, transpose_b: { b: false } },
      },
      { name: 'sum', op: 'BiasAdd', input: ['product', 'b'], attr: { ...T, data_format: { s: 'TkhXQw==' } } },
      { name: 'relu', op: 'Relu', input: ['sum'], attr: T },
      { name: 'softmax', op: 'Softmax', input: ['relu'], attr: T },
    ];
    const { data, specs } = await tf.io.encodeWeights(weights);
    const artifacts = {
      modelTopology: { node, library: {}, versions: { producer: 1 } },
      format: 'graph-model',
      weightData: data,
      weightSpecs: specs,
    };
    const { cpu, onnx } = await both(async () => {
      const model = await loadGraphModel(tf.io.fromMemory(artifacts));
      const predicted = model.predict(numbers([5, 4], 3)) as tf.Tensor;
      return predicted.data();
    });
    close(onnx, cpu, 1e-6);
  });
});

describe('the umbrella package', () => {
  it('shares the engine: chained operations, gradients, data sets and layers run here', async () => {
    const whole = await import('@tensorflow/tfjs');
    expect(whole.engine()).toBe(tf.engine());
    await whole.setBackend('onnx');
    expect(whole.getBackend()).toBe('onnx');

    const x = whole.tensor2d([1, 2, 3, 4], [2, 2]);
    expect([...x.matMul(x).relu().add(1).dataSync()]).toEqual([8, 11, 16, 23]);
    const gradient = whole.grad((t) => t.square().mul(t).sum());
    expect([...gradient(x).dataSync()]).toEqual([3, 12, 27, 48]);

    const seen: number[] = [];
    await whole.data
      .array([1, 2, 3, 4, 5])
      .map((v) => whole.tensor1d([v as unknown as number]))
      .batch(2)
      .forEachAsync((batch) => void seen.push(...(batch as unknown as tf.Tensor).square().dataSync()));
    expect(seen).toEqual([1, 4, 9, 16, 25]);

    const model = whole.sequential({ layers: [whole.layers.dense({ units: 1, inputShape: [2] })] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const { history } = await model.fit(x, whole.tensor2d([1, 2], [2, 1]), { epochs: 3, verbose: 0 });
    expect(history.loss![2]).toBeLessThan(history.loss![0] as number);
  });
});
