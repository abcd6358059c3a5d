import { checkGradients, expectNoLeak, type Fixture, hashed, loadFixture, tensorOf } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostTensor } from '../../src/checkpoint';
import { ArgumentError } from '../../src/errors';
import {
  Conv2d,
  ConvTranspose2d,
  diskFormat,
  type Layer,
  Linear,
  type Parameter,
  Sequential,
  spectralNorm,
} from '../../src/nn';
import { randomKey } from '../../src/random';
import { hashedOnDisk } from './hashed';

const fixture = loadFixture(import.meta.url, '../../fixtures/linear.json').spectralNorm;
const key = randomKey(5);

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

const makers: Record<string, () => Layer & { readonly weight: Parameter }> = {
  linear: () => new Linear(4, 3, { key }),
  conv2d: () => new Conv2d(2, 3, { kernelSize: [3, 2], key }),
  convTranspose2d: () => new ConvTranspose2d(2, 3, { kernelSize: [3, 2], stride: 2, key }),
};

test.each(Object.entries(makers))(
  '%s as PyTorch, over two forwards and one in evaluation',
  async (name, make) => {
    const c: Fixture = fixture[name];
    const layer = spectralNorm(make(), { key });
    const onDisk = (t: Fixture) => hostTensor(Float32Array.from(t.data), t.shape);
    layer.loadStateDict({
      bias: hashedOnDisk(c.shapes.bias, 2),
      weight_orig: hashedOnDisk(c.shapes.weight_orig, 3),
      weight_u: onDisk(c.weight_u),
      weight_v: onDisk(c.weight_v),
    });
    const x = hashed(c.x, 1);
    const outputs: tf.Tensor[] = [];
    const f = (input: tf.Tensor) => {
      const ys = [layer.forward(input), layer.forward(tf.mul(input, 0.5))];
      outputs.push(...ys.map((y) => tf.keep(tf.clone(y))));
      return tf.addN(ys.map((y) => tf.sum(tf.mul(y, hashed(y.shape, 9))))) as tf.Scalar;
    };
    const weight = layer.weight_orig;
    const { grads } = tf.variableGrads(() => f(x), [weight]);
    expect(outputs[0]).toBeAllClose(tensorOf(c.first), 1e-5);
    expect(outputs[1]).toBeAllClose(tensorOf(c.second), 1e-5);
    const dw = grads[weight.name]!;
    const { permute } = diskFormat(weight);
    expect(permute ? tf.transpose(dw, [...permute]) : dw).toBeAllClose(tensorOf(c.dw), 1e-4);
    expect(layer.weight_u).toBeAllClose(tensorOf(c.after.weight_u), 1e-5);
    expect(layer.weight_v).toBeAllClose(tensorOf(c.after.weight_v), 1e-5);

    layer.eval();
    expect(layer.forward(x)).toBeAllClose(tensorOf(c.eval), 1e-5);
    expect(layer.weight_u).toBeAllClose(tensorOf(c.after.weight_u), 1e-5);
    expect(Object.keys(await layer.stateDict()).sort()).toEqual(Object.keys(c.shapes));

    layer.train().loadStateDict({
      bias: hashedOnDisk(c.shapes.bias, 2),
      weight_orig: hashedOnDisk(c.shapes.weight_orig, 3),
      weight_u: onDisk(c.weight_u),
      weight_v: onDisk(c.weight_v),
    });
    expect(tf.grad((input: tf.Tensor) => f(input))(x)).toBeAllClose(tensorOf(c.dx), 1e-4);
    for (const output of outputs) output.dispose();
    layer.dispose();
  },
);

describe('spectralNorm', () => {
  test('brings the largest singular value to 1', () => {
    const layer = spectralNorm(new Linear(6, 6, { key, bias: false }), { key, iterations: 200 });
    const eye = tf.eye(6);
    const w = layer.forward(eye); // rows are the columns of the weight
    const gram = tf.matMul(w, w, true) as tf.Tensor2D;
    let v = tf.ones([6, 1]) as tf.Tensor2D;
    for (let i = 0; i < 300; i++) v = tf.div(tf.matMul(gram, v), tf.norm(tf.matMul(gram, v)));
    expect(tf.norm(tf.matMul(gram, v)).dataSync()[0]).toBeCloseTo(1, 3);
    layer.dispose();
  });

  test('is differentiable twice, in evaluation', () => {
    const layer = spectralNorm(new Linear(3, 2, { key }), { key, iterations: 3 });
    layer.forward(hashed([1, 3], 1));
    layer.eval();
    const penalty = (x: tf.Tensor) =>
      tf.sum(tf.square(tf.grad((input: tf.Tensor) => tf.sum(tf.square(layer.forward(input))))(x)));
    checkGradients((x) => penalty(x!), [hashed([2, 3], 1)]);
    layer.dispose();
  });

  test('keeps its names within a model, and the layer’s own checks', () => {
    const model = new Sequential([spectralNorm(new Conv2d(3, 4, { kernelSize: 3, key }), { key })]);
    expect(Object.keys(model.namedParameters())).toEqual(['0.bias', '0.weight_orig']);
    expect(Object.keys(model.namedBuffers())).toEqual(['0.weight_u', '0.weight_v']);
    expect(() => model.forward(tf.zeros([1, 5, 5, 2]))).toThrow('Conv2d.forward(x)');
    expect(model.forward(tf.zeros([1, 5, 5, 3])).shape).toEqual([1, 3, 3, 4]);
    model.dispose();
  });

  test('refuses wrong input', () => {
    const layer = spectralNorm(new Linear(3, 2, { key }), { key });
    expect(() => layer.weight).toThrow(ArgumentError);
    expect(() => spectralNorm(layer, { key })).toThrow(ArgumentError);
    expect(() => spectralNorm(new Linear(3, 2, { key }), { key, iterations: 0 })).toThrow(
      'spectralNorm(options.iterations)',
    );
    expect(() => spectralNorm(new Linear(3, 2, { key }), { key, dim: 2 })).toThrow(
      'spectralNorm(options.dim)',
    );
    layer.dispose();
  });

  test('leaves nothing behind', async () => {
    const layer = spectralNorm(new Conv2d(2, 3, { kernelSize: 3, key }), { key });
    const x = hashed([1, 4, 4, 2], 1);
    await expectNoLeak(() => layer.forward(x).dispose());
    await expectNoLeak(() => {
      const { value, grads } = tf.variableGrads(
        () => tf.sum(layer.forward(x)) as tf.Scalar,
        [layer.weight_orig],
      );
      tf.dispose([value, grads]);
    });
    await expectNoLeak(() => spectralNorm(new Linear(3, 2, { key }), { key }).dispose());
    layer.dispose();
  });
});
