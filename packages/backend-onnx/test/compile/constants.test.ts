import {
  adam,
  BatchNorm2d,
  buffer,
  compile,
  Linear,
  parameter,
  randomKey,
  updateRows,
  valueAndGrad,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OnnxBackend } from '../../src/backend';
import type { Program } from '../../src/trace/program';

const programs = () => (tf.backend() as OnnxBackend).programs;

/** Programs that compiled steps have made, in order. */
const compiled: Program[] = [];
const { compileTrace } = Object.getPrototypeOf(programs()) as {
  compileTrace: (...args: unknown[]) => Program;
};
beforeAll(() => {
  programs().compileTrace = (...args) => {
    const program = compileTrace.apply(programs(), args);
    compiled.push(program);
    return program;
  };
});
afterAll(() => Reflect.deleteProperty(programs(), 'compileTrace'));

const fed = () => compiled.at(-1)!.feeds.length;
const x = tf.tensor2d([[1, 2]]);
const value = (y: tf.Tensor) => {
  const [first] = y.dataSync();
  y.dispose();
  return first;
};

describe('constants of a compiled step', () => {
  it('follow a training that updates them in place', () => {
    const layer = new Linear(2, 1, { key: randomKey(1) });
    const optimizer = adam({ lr: 0.1 });
    const train = compile(
      () => {
        const parameters = layer.trainableParameters();
        const { value, grads } = valueAndGrad(() => tf.sum(layer.forward(x)) as tf.Scalar, parameters);
        optimizer.step(parameters, grads);
        return value;
      },
      { check: 0 },
    );
    const constants = Object.values(layer.namedParameters());
    const run = compile((x: tf.Tensor) => layer.forward(x), { check: 0, constants });
    for (let i = 0; i < 4; i++) train().dispose();
    for (let round = 0; round < 3; round++) {
      // Twice, so that what was compiled in is read again.
      for (let i = 0; i < 2; i++) expect(value(run(x))).toBe(value(layer.forward(x)));
      train().dispose();
    }
    layer.dispose();
    optimizer.dispose();
  });

  it('follow rows that are written into them in place', () => {
    const cache = tf.variable(tf.zeros([4, 2]), false);
    const write = compile(
      (row: tf.Tensor, at: tf.Scalar) => {
        cache.assign(updateRows(cache, row, at));
        return tf.sum(row);
      },
      { check: 0 },
    );
    const total = compile((x: tf.Tensor) => tf.add(tf.sum(cache), tf.sum(x)), {
      check: 0,
      constants: [cache],
    });
    for (let i = 0; i < 4; i++) {
      value(tf.tidy(() => write(tf.fill([1, 2], i + 1), tf.scalar(i, 'int32'))));
      for (let again = 0; again < 2; again++) expect(value(total(x))).toBe((i + 1) * (i + 2) + 3);
    }
    cache.dispose();
  });

  it('are the frozen parameters, by default', () => {
    const layer = new Linear(2, 3, { key: randomKey(1) });
    const run = compile((x: tf.Tensor) => layer.forward(x), { check: 0 });
    const expected = value(layer.forward(x));
    expect(value(run(x))).toBe(expected);
    expect(fed()).toBe(3);
    layer.freeze();
    expect(value(run(x))).toBe(expected);
    expect(value(run(x))).toBe(expected);
    expect(fed()).toBe(1);
    layer.dispose();
  });

  it('are none, or others as well, where that is asked for', () => {
    const layer = new Linear(2, 3, { key: randomKey(1) }).freeze();
    const shift = tf.variable(tf.scalar(2.5), true);
    const step = (x: tf.Tensor) => tf.add(layer.forward(x), shift);
    const [none, all] = [
      compile(step, { check: 0, constants: 'none' }),
      compile(step, { check: 0, constants: [shift] }),
    ];
    const expected = value(none(x));
    expect(fed()).toBe(4);
    expect(value(all(x))).toBe(expected);
    expect(fed()).toBe(1);
    layer.dispose();
    shift.dispose();
  });

  it('are never out of date: one that is assigned is read anew from then on', () => {
    const weight = parameter(tf.tensor2d([[1], [1]]));
    weight.trainable = false;
    const scale = tf.variable(tf.scalar(1), false);
    const run = compile((x: tf.Tensor2D) => tf.mul(tf.matMul(x, weight as tf.Tensor2D), scale), {
      check: 0,
      constants: [scale],
    });
    const assign = (v: tf.Variable, t: tf.Tensor) => {
      v.assign(t as never);
      t.dispose();
    };
    const before = compiled.length;
    expect([value(run(x)), value(run(x))]).toEqual([3, 3]);
    assign(weight, tf.tensor2d([[2], [3]]));
    expect([value(run(x)), value(run(x))]).toEqual([8, 8]);
    expect(compiled.length - before).toBe(2);
    expect(fed()).toBe(2);
    assign(weight, tf.tensor2d([[1], [0]]));
    expect(value(run(x))).toBe(1);
    expect(compiled.length - before).toBe(2);
    assign(scale, tf.scalar(10));
    expect([value(run(x)), value(run(x))]).toEqual([10, 10]);
    expect(compiled.length - before).toBe(3);
    expect(fed()).toBe(3);
    tf.dispose([weight, scale]);
  });

  it('are the buffers too, where no parameter that is read trains', () => {
    const [layer, norm] = [new Linear(2, 3, { key: randomKey(1) }), new BatchNorm2d(3)];
    norm.eval();
    const run = compile((x: tf.Tensor) => norm.forward(tf.reshape(layer.forward(x), [1, 1, 1, 3])), {
      check: 0,
    });
    const expected = value(run(x));
    expect(fed()).toBe(7);
    norm.freeze();
    value(run(x));
    expect(fed()).toBe(5);
    layer.freeze();
    expect(value(run(x))).toBeCloseTo(expected!, 6);
    expect(fed()).toBe(1);
    layer.dispose();
    norm.dispose();
  });

  it('notice a buffer that changes', () => {
    const shift = buffer(tf.scalar(1));
    const run = compile((x: tf.Tensor) => tf.add(x, shift), { check: 0 });
    const before = compiled.length;
    expect([value(run(x)), value(run(x))]).toEqual([2, 2]);
    for (const next of [5, 7]) {
      const t = tf.scalar(next);
      shift.assign(t as never);
      t.dispose();
      expect([value(run(x)), value(run(x))]).toEqual([next + 1, next + 1]);
    }
    expect(compiled.length - before).toBe(2);
    shift.dispose();
  });

  it('are not what the step itself assigns', () => {
    const count = tf.variable(tf.scalar(0), false);
    const run = compile(() => count.assign(tf.add(count, 1)), { check: 0, constants: [count] });
    const before = compiled.length;
    for (let i = 0; i < 3; i++) run();
    expect([compiled.length - before, count.dataSync()[0]]).toEqual([1, 3]);
    count.dispose();
  });

  it('go with their step: a variable that is gone makes the step be recorded anew', () => {
    let layer = new Linear(2, 1, { key: randomKey(1) }).freeze();
    const run = compile((x: tf.Tensor) => layer.forward(x), { check: 0 });
    value(run(x));
    layer.dispose();
    layer = new Linear(2, 1, { key: randomKey(2) }).freeze();
    expect(value(run(x))).toBe(value(layer.forward(x)));
    layer.dispose();
  });

  it('that the step makes itself are in the program too', () => {
    const run = compile((x: tf.Tensor) => tf.add(x, tf.tensor([1, 2])), { check: 0 });
    expect([...tf.tidy(() => run(x).dataSync())]).toEqual([2, 4]);
    expect([...tf.tidy(() => run(x).dataSync())]).toEqual([2, 4]);
    expect(fed()).toBe(1);
  });
});
