import { expectNoLeak, hashed, loadFixture, tensorOf } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError, StateDictError } from '../../src/errors';
import {
  BatchNorm,
  BatchNorm1d,
  BatchNorm2d,
  GroupNorm,
  InstanceNorm2d,
  LayerNorm,
  type Module,
  RMSNorm,
} from '../../src/nn';
import { groupNorm, layerNorm, rmsNorm } from '../../src/ops';
import { type FixtureTensor, given, type Spec } from '../ops/differentiated';

interface ModuleCase {
  name: string;
  features: number;
  options: object;
  inputs: Spec[];
  buffers: Record<string, FixtureTensor>;
  evaluated: FixtureTensor;
}
const { modules }: { modules: Record<string, ModuleCase[]> } = loadFixture(
  import.meta.url,
  '../../fixtures/norms.json',
);
const classes = { BatchNorm2d, BatchNorm1d, InstanceNorm2d };

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

describe.each(Object.entries(classes))('%s', (name, Class) => {
  test.each(modules[name]!)('as PyTorch over several batches: $name', (c) => {
    const layer = new Class(c.features, c.options);
    layer.weight?.assign(given({ shape: [c.features], seed: 2, scale: 0.5, offset: 1 }) as tf.Tensor1D);
    layer.bias?.assign(given({ shape: [c.features], seed: 3, scale: 1, offset: 0 }) as tf.Tensor1D);
    for (const spec of c.inputs) layer.forward(given(spec));
    const buffers = layer.namedBuffers();
    expect(Object.keys(buffers)).toEqual(Object.keys(c.buffers));
    for (const [key, expected] of Object.entries(c.buffers)) {
      expect(buffers[key]!, key).toBeAllClose(tensorOf(expected), 1e-5);
    }
    layer.eval();
    expect(layer.forward(given(c.inputs[0]!))).toBeAllClose(tensorOf(c.evaluated), 1e-5);
    for (const [key, expected] of Object.entries(c.buffers)) {
      expect(buffers[key]!, `${key} after evaluation`).toBeAllClose(tensorOf(expected), 1e-5);
    }
    layer.dispose();
  });
});

describe('names, shapes and first values', () => {
  test.each<[string, Module, string[]]>([
    [
      'BatchNorm2d',
      new BatchNorm2d(4),
      ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'],
    ],
    ['BatchNorm1d, bare', new BatchNorm1d(4, { affine: false, trackRunningStats: false }), []],
    ['LayerNorm', new LayerNorm([2, 4]), ['weight', 'bias']],
    ['LayerNorm without bias', new LayerNorm(4, { bias: false }), ['weight']],
    ['LayerNorm, bare', new LayerNorm(4, { elementwiseAffine: false }), []],
    ['GroupNorm', new GroupNorm(2, 4), ['weight', 'bias']],
    ['RMSNorm', new RMSNorm(4), ['weight']],
    ['InstanceNorm2d', new InstanceNorm2d(4), []],
    ['InstanceNorm2d, affine', new InstanceNorm2d(4, { affine: true }), ['weight', 'bias']],
  ])('%s', (_, layer, names) => {
    const leaves = { ...layer.namedParameters(), ...layer.namedBuffers() };
    expect(Object.keys(leaves)).toEqual(names);
    const first: Record<string, number> = { weight: 1, running_var: 1 };
    for (const [name, leaf] of Object.entries(leaves)) {
      const value = first[name] ?? 0;
      expect(Array.from(leaf.dataSync()).every((v) => v === value)).toBe(true);
    }
    layer.dispose();
  });

  test('of LayerNorm are normalizedShape', () => {
    const layer = new LayerNorm([2, 4]);
    expect(layer.weight!.shape).toEqual([2, 4]);
    expect(layer.bias!.shape).toEqual([2, 4]);
    layer.dispose();
  });
});

test('num_batches_tracked is int32 in memory and I64 on disk, there and back', async () => {
  const layer = new BatchNorm2d(2);
  layer.forward(hashed([2, 2, 2, 2], 1));
  layer.forward(hashed([2, 2, 2, 2], 2));
  expect(layer.num_batches_tracked!.dtype).toBe('int32');
  const state = await layer.stateDict();
  expect(state.num_batches_tracked!.dtype).toBe('I64');
  expect(state.num_batches_tracked!.shape).toEqual([]);
  const other = new BatchNorm2d(2);
  other.loadStateDict(state);
  expect(other.num_batches_tracked!.dataSync()[0]).toBe(2);
  expect(other.running_var!).toBeAllClose(layer.running_var!);
  expect(() => new BatchNorm2d(3).loadStateDict(state)).toThrow(StateDictError);
  layer.dispose();
  other.dispose();
});

test('the layers call the functions with their weights', () => {
  const x = hashed([2, 3, 4], 1);
  const [weight, bias] = [hashed([4], 2), hashed([4], 3)];
  const set = <T extends Module & { weight: tf.Variable | null; bias?: tf.Variable | null }>(layer: T): T => {
    layer.weight!.assign(weight);
    layer.bias?.assign(bias);
    return layer;
  };
  const layers = [
    set(new LayerNorm(4, { eps: 0.1 })),
    set(new LayerNorm(4, { bias: false })),
    set(new RMSNorm(4, { eps: 0.01 })),
    set(new RMSNorm(4)),
    set(new GroupNorm(2, 4, { eps: 0.1 })),
  ];
  const expected = [
    layerNorm(x, 4, { weight, bias, eps: 0.1 }),
    layerNorm(x, 4, { weight }),
    rmsNorm(x, 4, { weight, eps: 0.01 }),
    rmsNorm(x, 4, { weight }),
    groupNorm(x, 2, { weight, bias, eps: 0.1 }),
  ];
  layers.forEach((layer, i) => {
    expect(layer.forward(x)).toBeAllClose(expected[i]!);
    layer.dispose();
  });
});

describe('BatchNorm2d in training', () => {
  test('gives mean 0 and variance 1, and the identity on such a batch', () => {
    const layer = new BatchNorm2d(3, { eps: 1e-12 });
    const y = layer.forward(tf.add(tf.mul(hashed([4, 4, 4, 3], 1), 5), 7));
    const { mean, variance } = tf.moments(y, [0, 1, 2]);
    expect(tf.add(mean, 1)).toBeAllClose(tf.ones([3]), 1e-5);
    expect(variance).toBeAllClose(tf.ones([3]), 1e-5);
    expect(layer.forward(y)).toBeAllClose(y, 1e-5);
    layer.dispose();
  });

  test('its statistics come to the data’s, in evaluation too', () => {
    const layer = new BatchNorm2d(2, { momentum: null });
    const x = hashed([8, 4, 4, 2], 1);
    for (let i = 0; i < 3; i++) layer.forward(x);
    const trained = layer.forward(x);
    // Evaluation divides by the unbiased deviation, training by the biased one.
    const ratio = Math.sqrt(127 / 128);
    expect(layer.eval().forward(x)).toBeAllClose(tf.mul(trained, ratio), 1e-4);
    layer.dispose();
  });

  test('a wrong batch changes no statistic', () => {
    const layer = new BatchNorm2d(2);
    expect(() => layer.forward(tf.ones([1, 1, 1, 2]))).toThrow(ArgumentError);
    expect(layer.num_batches_tracked!.dataSync()[0]).toBe(0);
    layer.dispose();
  });

  test('leaves no tensor behind, with or without gradients', async () => {
    const layer = new BatchNorm2d(2, { momentum: null });
    await expectNoLeak(() => {
      const x = hashed([2, 2, 2, 2], 1);
      const { value, grads } = tf.variableGrads(() => tf.sum(layer.forward(x)) as tf.Scalar);
      tf.dispose([x, value, grads, layer.forward(x)]);
    });
    layer.dispose();
  });

  test('frozen, it still takes its statistics, and gives gradients to what is below', () => {
    const layer = new BatchNorm2d(2).freeze();
    const dx = tf.grad((x: tf.Tensor) => tf.sum(tf.square(layer.forward(x))))(hashed([2, 2, 2, 2], 1));
    expect(dx.shape).toEqual([2, 2, 2, 2]);
    expect(layer.num_batches_tracked!.dataSync()[0]).toBe(1);
    layer.dispose();
  });
});

describe('wrong input', () => {
  test.each<[string, () => unknown, string]>([
    ['features', () => new BatchNorm2d(0), 'BatchNorm(features): expected an integer ≥ 1, got 0'],
    ['momentum', () => new BatchNorm2d(2, { momentum: 2 }), 'expected a number in [0, 1] or null, got 2'],
    [
      'channels',
      () => new BatchNorm2d(3).forward(tf.zeros([2, 2, 2, 4])),
      'BatchNorm2d.forward(x): expected [batch, height, width, 3], got [2, 2, 2, 4]',
    ],
    ['rank', () => new BatchNorm2d(3).forward(tf.zeros([2, 3])), 'BatchNorm2d.forward(x)'],
    [
      'images for BatchNorm1d',
      () => new BatchNorm1d(3).forward(tf.zeros([2, 2, 2, 3])),
      'BatchNorm1d.forward(x): expected [batch, 3] or [batch, length, 3], got [2, 2, 2, 3]',
    ],
    ['vector', () => new BatchNorm(3).forward(tf.zeros([3])), 'expected [batch, ..., 3], got [3]'],
    ['no axes', () => new LayerNorm([]), 'LayerNorm(normalizedShape)'],
    ['axes', () => new LayerNorm(4).forward(tf.zeros([2, 3])), 'expected [..., 4], got [2, 3]'],
    ['rms axes', () => new RMSNorm(4).forward(tf.zeros([2, 3])), 'expected [..., 4], got [2, 3]'],
    ['groups', () => new GroupNorm(3, 4), 'GroupNorm(groups): expected a divisor of 4 channels, got 3'],
    [
      'group channels',
      () => new GroupNorm(2, 4).forward(tf.zeros([2, 6])),
      'GroupNorm.forward(x): expected [batch, ..., 4], got [2, 6]',
    ],
    [
      'instances',
      () => new InstanceNorm2d(3).forward(tf.zeros([2, 3])),
      'InstanceNorm2d.forward(x): expected [batch, height, width, 3], got [2, 3]',
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });
});
