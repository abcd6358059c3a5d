import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostTensor } from '../../src/checkpoint';
import { StateDictError } from '../../src/errors';
import {
  type Buffer,
  buffer,
  diskFormat,
  isBuffer,
  isModule,
  isParameter,
  Linear,
  Module,
  type Parameter,
  parameter,
  Sequential,
} from '../../src/nn';
import { randomKey } from '../../src/random';

const key = randomKey(1);

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

class Affine extends Module {
  readonly scale: Parameter;
  readonly shift: Parameter | null;
  readonly calls: Buffer;

  constructor(size: number, shift = true) {
    super();
    this.scale = parameter(tf.ones([size]));
    this.shift = shift ? parameter(tf.zeros([size])) : null;
    this.calls = buffer(tf.scalar(0, 'int32'), { dtype: 'I64' });
  }

  forward(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => (this.shift ? tf.add(tf.mul(x, this.scale), this.shift) : tf.mul(x, this.scale)));
  }
}

class Model extends Module {
  readonly first = new Affine(2);
  readonly blocks = [new Affine(2, false), new Affine(3)];
  readonly nested = [[new Affine(1, false)], [new Affine(1, false)]];
  readonly codes = [parameter(tf.ones([4])), parameter(tf.ones([5]))];
  readonly config = { size: 2, activation: 'relu' };
  readonly nothing = null;
}

const names = [
  'codes.0',
  'codes.1',
  'first.scale',
  'first.shift',
  'blocks.0.scale',
  'blocks.1.scale',
  'blocks.1.shift',
  'nested.0.0.scale',
  'nested.1.0.scale',
];

describe('walking', () => {
  test('finds parameters in fields, sub-modules, arrays of both and arrays of arrays', () => {
    const model = new Model();
    expect(Object.keys(model.namedParameters())).toEqual(names);
    expect(model.parameterCount()).toBe(4 + 5 + 2 + 2 + 2 + 3 + 3 + 1 + 1);
    expect(model.namedParameters()['blocks.1.shift']).toBe(model.blocks[1]!.shift);
    model.dispose();
  });

  test('finds buffers, apart from parameters', () => {
    const model = new Model();
    const buffers = ['first', 'blocks.0', 'blocks.1', 'nested.0.0', 'nested.1.0'].map(
      (path) => `${path}.calls`,
    );
    expect(Object.keys(model.namedBuffers())).toEqual(buffers);
    model.dispose();
  });

  test('gives modules with their paths, parents first', () => {
    const model = new Model();
    const paths = ['', 'first', 'blocks.0', 'blocks.1', 'nested.0.0', 'nested.1.0'];
    expect([...model.modules()].map(([path]) => path)).toEqual(paths);
    expect([...model.modules('m')].map(([path]) => path).slice(0, 2)).toEqual(['m', 'm.first']);
    expect([...model.children()].map(([name]) => name)).toEqual(paths.slice(1));
    model.dispose();
  });

  test('sees fields as they are now', () => {
    class Grows extends Module {
      layers: Module[] = [];
    }
    const model = new Grows();
    expect(Object.keys(model.namedParameters())).toEqual([]);
    model.layers.push(new Affine(2, false));
    expect(Object.keys(model.namedParameters())).toEqual(['layers.0.scale']);
    model.dispose();
  });

  test('does not enter private fields, and survives a module inside itself', () => {
    class Child extends Module {
      readonly #parent: Module;
      readonly own = new Affine(1, false);
      constructor(parent: Module) {
        super();
        this.#parent = parent;
      }
      get parent() {
        return this.#parent;
      }
    }
    class Parent extends Module {
      readonly child = new Child(this);
      readonly self: Module = this;
    }
    const model = new Parent();
    expect(Object.keys(model.namedParameters())).toEqual(['child.own.scale']);
    expect(model.child.parent).toBe(model);
    model.dispose();
  });
});

describe('shared parts', () => {
  class Tied extends Module {
    readonly embed = new Linear(2, 3, { key, bias: false });
    readonly head = new Linear(2, 3, { key: key.fold(1), bias: false });
    readonly same = this.embed;
    constructor() {
      super();
      this.head.weight.dispose();
      Object.assign(this.head, { weight: this.embed.weight });
    }
  }
  const weight = (fill: number) => hostTensor(new Float32Array(6).fill(fill), [3, 2]);

  test('count once, under their first name', async () => {
    const model = new Tied();
    expect(Object.keys(model.namedParameters())).toEqual(['embed.weight']);
    expect(model.parameterCount()).toBe(6);
    expect([...model.modules()].map(([path]) => path)).toEqual(['', 'embed', 'head']);
    expect(Object.keys(await model.stateDict())).toEqual(['embed.weight']);
    model.dispose();
  });

  test('load under any one of their names, or under all with the same values', () => {
    const model = new Tied();
    const first = () => model.embed.weight.dataSync()[0];
    expect(model.loadStateDict({ 'embed.weight': weight(1) })).toEqual({ missing: [], extra: [] });
    expect(first()).toBe(1);
    model.loadStateDict({ 'head.weight': weight(2) });
    expect(first()).toBe(2);
    const all = { 'embed.weight': weight(3), 'head.weight': weight(3), 'same.weight': weight(3) };
    model.loadStateDict(all);
    expect(first()).toBe(3);
    expect(Object.keys(all)).toHaveLength(3);
    model.dispose();
  });

  test('refuse two different values', () => {
    const model = new Tied();
    const before = [...model.embed.weight.dataSync()];
    const load = () => model.loadStateDict({ 'embed.weight': weight(1), 'head.weight': weight(2) });
    expect(load).toThrow(StateDictError);
    expect(load).toThrow('head.weight: is the same tensor as embed.weight here, but has other values');
    expect([...model.embed.weight.dataSync()]).toEqual(before);
    expect(() => model.loadStateDict({})).toThrow('1 missing key (embed.weight)');
    model.dispose();
  });
});

describe('modes', () => {
  test('train and eval reach every module and return the one that they were called on', () => {
    const model = new Model();
    expect(model.training).toBe(true);
    expect(model.eval()).toBe(model);
    expect([...model.modules()].every(([, m]) => !m.training)).toBe(true);
    expect(model.train()).toBe(model);
    expect([...model.modules()].every(([, m]) => m.training)).toBe(true);
    model.dispose();
  });

  test('freeze takes parameters out of training, one part at a time', () => {
    const model = new Model();
    expect(model.blocks[0]!.freeze()).toBe(model.blocks[0]);
    expect(Object.keys(model.trainableParameters())).toEqual(
      names.filter((name) => name !== 'blocks.0.scale'),
    );
    model.freeze();
    expect(model.trainableParameters()).toEqual({});
    expect(Object.keys(model.namedParameters())).toEqual(names);
    model.unfreeze();
    expect(Object.keys(model.trainableParameters())).toEqual(names);
    model.dispose();
  });

  test('frozen parameters get no gradient, buffers neither', () => {
    const model = new Affine(2);
    model.shift!.trainable = false;
    const { grads, value } = tf.variableGrads(() => tf.sum(model.forward(tf.ones([2]))) as tf.Scalar);
    expect(Object.keys(grads)).toEqual([model.scale.name]);
    tf.dispose([grads, value]);
    model.dispose();
  });
});

describe('state', () => {
  test('goes round: names, values, layouts and types', async () => {
    const model = new Model();
    model.first.scale.assign(tf.tensor1d([2, 3]));
    model.first.calls.assign(tf.scalar(7, 'int32'));
    const state = await model.stateDict();
    expect(Object.keys(state).sort()).toEqual([...names, ...Object.keys(model.namedBuffers())].sort());
    expect(state['first.calls']!.dtype).toBe('I64');

    const copy = new Model();
    expect(copy.loadStateDict(state)).toEqual({ missing: [], extra: [] });
    expect(await copy.stateDict()).toEqual(state);
    expect([...copy.first.scale.dataSync()]).toEqual([2, 3]);
    expect(copy.first.calls.dataSync()[0]).toBe(7);
    model.dispose();
    copy.dispose();
  });

  test('is all or nothing, with one error that names everything', async () => {
    const model = new Model();
    const state = await model.stateDict();
    delete state['codes.0'];
    state['codes.1'] = hostTensor([1, 2], [2]);
    state['first.scale'] = hostTensor([8, 9], [2]);
    state.unknown = hostTensor([1], [1]);
    try {
      model.loadStateDict(state);
      expect.unreachable();
    } catch (error) {
      if (!StateDictError.isInstance(error)) throw error;
      expect(error.missing).toEqual(['codes.0']);
      expect(error.extra).toEqual(['unknown']);
      expect(error.shapes.map((s) => s.key)).toEqual(['codes.1']);
    }
    expect([...model.first.scale.dataSync()]).toEqual([1, 1]);
    state['codes.1'] = hostTensor([1, 2, 3, 4, 5], [5]);
    const report = model.loadStateDict(state, { strict: false });
    expect(report).toEqual({ missing: ['codes.0'], extra: ['unknown'] });
    expect([...model.first.scale.dataSync()]).toEqual([8, 9]);
    model.dispose();
  });
});

describe('leaves', () => {
  test('are told apart, also those of a second copy of the package', () => {
    const p = parameter(tf.ones([2]), { permute: [0] });
    const b = buffer(tf.ones([2]));
    expect([isParameter(p), isBuffer(p), isParameter(b), isBuffer(b)]).toEqual([true, false, false, true]);
    expect([p.trainable, b.trainable]).toEqual([true, false]);
    expect(diskFormat(p)).toEqual({ permute: [0] });
    for (const other of [tf.ones([2]), null, 3, {}]) expect(isParameter(other)).toBe(false);
    const foreign = { [Symbol.for('poiesis.leaf')]: { kind: 'parameter', disk: {} } };
    expect(isParameter(foreign)).toBe(true);
    expect(isModule(Object.create({ [Symbol.for('poiesis.module')]: true }))).toBe(true);
    expect(isModule({})).toBe(false);
    p.dispose();
    b.dispose();
  });

  test('take ownership of their first value, and are freed with their module', async () => {
    const value = tf.ones([2]);
    const p = parameter(value);
    expect(value.isDisposed).toBe(true);
    expect([...p.dataSync()]).toEqual([1, 1]);
    p.dispose();
    await expectNoLeak(() => new Model().dispose());
    await expectNoLeak(() => new Sequential([new Linear(2, 2, { key })]).dispose());
  });

  test('outlive the tidy that they are made in', () => {
    const made: Affine[] = [];
    tf.tidy(() => void made.push(new Affine(2)));
    const model = made[0]!;
    expect([...model.forward(tf.ones([2])).dataSync()]).toEqual([1, 1]);
    model.dispose();
  });
});
