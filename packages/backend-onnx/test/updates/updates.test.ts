import {
  type AdamOptions,
  adam,
  adamW,
  compile,
  ema,
  Linear,
  lion,
  mse,
  type Optimizer,
  randomKey,
  sgd,
  valueAndGrad,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { OnnxBackend } from '../../src/backend';
import { waves } from '../passes/recorded';

/** Trains two layers for some steps, compiled or not; returns every weight, average and loss. */
function trained(make: () => Optimizer, compiled: boolean, steps = 6): number[][] {
  const model = new Linear(5, 3, { key: randomKey(1) });
  const optimizer = make();
  const average = ema(model, { decay: 0.9 });
  const step = (x: tf.Tensor, y: tf.Tensor) => {
    const parameters = model.trainableParameters();
    const { value, grads } = valueAndGrad(() => mse(model.forward(x), y) as tf.Scalar, parameters);
    optimizer.step(parameters, grads);
    average.update();
    return value;
  };
  const run = compiled ? compile(step, { check: 0 }) : step;
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const loss = tf.tidy(() => run(waves([8, 5], i + 1), waves([8, 3], i + 2)));
    losses.push(loss.dataSync()[0]!);
    loss.dispose();
  }
  const other = new Linear(5, 3, { key: randomKey(2) });
  average.copyTo(other);
  const values = [model, other].flatMap((m) => [m.weight, m.bias!]).map((t) => [...t.dataSync()]);
  for (const owner of [model, other, optimizer, average]) owner.dispose();
  return [losses, ...values];
}

describe('updates outside of the session', () => {
  const options: AdamOptions = { lr: 0.05, weightDecay: 0.1, clip: { norm: 0.5 } };
  const optimizers: Record<string, () => Optimizer> = {
    sgd: () => sgd({ lr: 0.1 }),
    momentum: () => sgd({ lr: 0.1, momentum: 0.9, nesterov: true }),
    adam: () => adam(options),
    amsgrad: () => adam({ ...options, amsgrad: true }),
    adamW: () => adamW(options),
    groups: () => adamW({ ...options, groups: [{ match: /bias/, weightDecay: 0, lr: 0.01 }] }),
    lion: () => lion({ lr: 0.01 }),
  };
  for (const [name, make] of Object.entries(optimizers)) {
    it(`are bit for bit those of the graph: ${name}`, () => {
      expect(trained(make, true)).toEqual(trained(make, false));
    });
  }
});

describe('variables that are updated in place', () => {
  const setup = () => {
    const w = tf.variable(tf.tensor1d([1, 2, 3, 4, 5]));
    const step = compile(
      (x: tf.Tensor) => {
        w.assign(tf.add(tf.mul(w, 0.5), x) as tf.Tensor1D);
        return tf.sum(w);
      },
      { check: 0 },
    );
    const run = (value: number) => tf.tidy(() => step(tf.fill([5], value) as tf.Tensor).dataSync()[0]);
    run(1);
    run(1);
    return { w, run };
  };

  it('do not change what was read or cloned before', () => {
    const { w, run } = setup();
    run(1);
    const read = w.dataSync();
    const before = [...read];
    const clone = tf.clone(w);
    const view = tf.reshape(w, [5, 1]);
    const slice = tf.stridedSlice(w, [0], [5], [1]);
    run(2);
    run(3);
    expect([...read]).toEqual(before);
    for (const t of [clone, view, slice]) expect([...t.dataSync()]).toEqual(before);
    expect([...w.dataSync()]).toEqual(before.map((v) => (v * 0.5 + 2) * 0.5 + 3));
    tf.dispose([w, clone, view, slice]);
  });

  it('do not change what is still to be computed from them', () => {
    const { w, run } = setup();
    run(1);
    const before = [...w.dataSync()];
    const pending = tf.mul(w, 10);
    run(2);
    expect([...pending.dataSync()]).toEqual(before.map((v) => v * 10));
    tf.dispose([w, pending]);
  });

  it('may be assigned between steps', () => {
    const { w, run } = setup();
    run(1);
    const other = tf.tensor1d([10, 20, 30, 40, 50]);
    w.assign(other);
    expect(run(1)).toBe(80);
    expect([...w.dataSync()]).toEqual([6, 11, 16, 21, 26]);
    expect([...other.dataSync()]).toEqual([10, 20, 30, 40, 50]);
    run(1);
    expect([...w.dataSync()]).toEqual([4, 6.5, 9, 11.5, 14]);
    tf.dispose([w, other]);
  });

  it('are no constants of programs that read them, however they began', () => {
    const w = tf.variable(tf.zeros([4]));
    const step = compile(
      (x: tf.Tensor) => {
        w.assign(tf.add(w, x));
        return tf.sum(x);
      },
      { check: 0 },
    );
    for (let i = 0; i < 4; i++) tf.tidy(() => void step(tf.ones([4])));
    w.assign(tf.zeros([4]));
    for (let i = 0; i < 2; i++) tf.tidy(() => void step(tf.ones([4])));
    expect(tf.tidy(() => [...tf.mul(w, 3).dataSync()])).toEqual([6, 6, 6, 6]);
    w.dispose();
  });

  it('are those of the step that was run last, where two update the same', () => {
    const w = tf.variable(tf.tensor1d([1, 2, 3]));
    const stepOf = (next: (x: tf.Tensor) => tf.Tensor) =>
      compile(
        (x: tf.Tensor) => {
          w.assign(next(x) as tf.Tensor1D);
          return tf.sum(x);
        },
        { check: 0 },
      );
    const [half, grow] = [stepOf(() => tf.mul(w, 0.5)), stepOf((x) => tf.add(w, x))];
    const x = tf.tensor1d([1, 2, 3]);
    for (let i = 0; i < 5; i++) {
      tf.dispose([half(x), grow(x)]);
    }
    const expected = [1, 2, 3].map((v) => Array.from({ length: 5 }).reduce((w: number) => w * 0.5 + v, v));
    expect([...w.dataSync()]).toEqual(expected);
    tf.dispose([w, x]);
  });

  it('stay in the graph where they are all that a step does', () => {
    const w = tf.variable(tf.tensor1d([1, 2, 4]));
    const half = compile(() => void w.assign(tf.mul(w, 0.5) as tf.Tensor1D), { check: 0 });
    for (let i = 0; i < 3; i++) half();
    expect([...w.dataSync()]).toEqual([0.125, 0.25, 0.5]);
    w.dispose();
  });

  it('of batches of several sizes work in one memory, and leave alone what shares a variable', () => {
    const places = new Set<object>();
    const train = (compiled: boolean) => {
      const model = new Linear(5, 3, { key: randomKey(1) });
      const optimizer = adam({ lr: 0.05 });
      const step = (x: tf.Tensor, y: tf.Tensor) => {
        const parameters = model.trainableParameters();
        const { value, grads } = valueAndGrad(() => mse(model.forward(x), y) as tf.Scalar, parameters);
        optimizer.step(parameters, grads);
        return value;
      };
      const run = compiled ? compile(step, { check: 0 }) : step;
      const kept: tf.Tensor[] = [];
      // Every size is met first while the weights lie where another size has put them, then in turns.
      for (const [i, rows] of [8, 8, 8, 4, 2, 8, 4, 2, 2, 8, 6, 4].entries()) {
        kept.push(tf.clone(model.weight as tf.Tensor), tf.reshape(model.weight, [15]));
        kept.push(tf.tidy(() => run(waves([rows, 5], i + 1), waves([rows, 3], i + 2))));
        const { data } = (tf.backend() as OnnxBackend).recordedAs(model.weight);
        // Of the first step, and of those after an assignment, which is found elsewhere.
        if (compiled && i > 1) places.add(data!);
        if (i === 6) tf.tidy(() => model.bias!.assign(tf.tensor1d([1, 2, 3])));
      }
      const values = [...kept, model.weight, model.bias!].map((t) => [...t.dataSync()]);
      tf.dispose(kept);
      for (const owner of [model, optimizer]) owner.dispose();
      return values;
    };
    expect(train(true)).toEqual(train(false));
    expect(places.size).toBe(1);
  });
});
