import {
  accumulate,
  adam,
  compile,
  hostNormal,
  type Key,
  normal,
  parameter,
  randomKey,
  valueAndGrad,
} from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { OnnxBackend } from '../src/backend';
import { CompileError } from '../src/compile/compile-error';

const compilations = () => (tf.backend() as OnnxBackend).programs.statistics.compiled;

/** A small regression with dropout-like noise and Adam: variables, host inputs and random draws in one step. */
function regression() {
  const parameters = { w: parameter(tf.tensor([[0.5], [-0.5]])), b: parameter(tf.tensor([0.1])) };
  const optimizer = adam({ lr: (n) => 0.1 / (n + 1) });
  const step = (x: tf.Tensor, y: tf.Tensor, key: Key) => {
    const { value, grads } = valueAndGrad(() => {
      const noisy = tf.add(x, normal(key.fold(1), x.shape, { std: 0.1 }));
      return tf.mean(
        tf.squaredDifference(
          tf.add(tf.matMul(noisy as tf.Tensor2D, parameters.w as tf.Tensor2D), parameters.b),
          y,
        ),
      ) as tf.Scalar;
    }, parameters);
    optimizer.step(parameters, grads);
    return { loss: value };
  };
  return { step, parameters, optimizer };
}

function trajectory(compiled: boolean, steps = 12) {
  const { step, parameters } = regression();
  let traced = 0;
  const counting = (...args: Parameters<typeof step>) => {
    traced++;
    return step(...args);
  };
  const run = compiled ? compile(counting, { check: 0 }) : counting;
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    tf.tidy(() => {
      const x = tf.tensor(hostNormal(randomKey(i), 8), [4, 2]);
      losses.push(run(x, tf.sum(x, 1, true), randomKey(100 + i)).loss.dataSync()[0]!);
    });
  }
  const weights = [...parameters.w.dataSync(), ...parameters.b.dataSync()];
  tf.dispose(parameters);
  return { losses, weights, traced };
}

describe('a compiled step', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('gives the same bits as the step itself, without running its JavaScript', () => {
    const plain = trajectory(false);
    const replayed = trajectory(true);
    expect(replayed.losses).toEqual(plain.losses);
    expect(replayed.weights).toEqual(plain.weights);
    // Once to make the optimizer's state, once to record.
    expect(replayed.traced).toBe(2);
  });

  it('leaves no tensors behind', async () => {
    const { step } = regression();
    const run = compile(step, { check: 0 });
    const x = tf.tensor(hostNormal(randomKey(0), 8), [4, 2]);
    const y = tf.ones([4, 1]);
    for (let i = 0; i < 3; i++) tf.dispose(run(x, y, randomKey(i)));
    await expectNoLeak(() => tf.dispose(run(x, y, randomKey(9))));
  });

  it('is recorded anew for other shapes and other plain arguments only', () => {
    const run = compile((x: tf.Tensor, power: number) => tf.sum(tf.pow(x, power)), { check: 0 });
    const at = (n: number, power: number) =>
      tf.tidy(() => run(tf.tensor(new Float32Array(n).fill(2)), power).dataSync()[0]);
    const before = compilations();
    expect([at(3, 2), at(3, 2), at(3, 3), at(5, 2), at(3, 2), at(3, 3)]).toEqual([12, 12, 24, 20, 12, 24]);
    expect(compilations() - before).toBe(3);
  });

  it('tells the same tensor given twice from two tensors', () => {
    const run = compile((a: tf.Tensor, b: tf.Tensor) => tf.add(a, tf.mul(b, 10)), { check: 0 });
    const [x, y] = [tf.tensor([1]), tf.tensor([2])];
    const at = (a: tf.Tensor, b: tf.Tensor) => tf.tidy(() => run(a, b).dataSync()[0]);
    expect([at(x, x), at(x, y), at(y, x), at(y, y), at(x, tf.clone(x))]).toEqual([11, 21, 12, 22, 11]);
  });

  it('keeps variables apart that began with the same tensor', () => {
    const start = tf.tensor([1]);
    const [a, b] = [tf.variable(start), tf.variable(start)];
    const run = compile(
      () => {
        a.assign(tf.add(a, 1));
        b.assign(tf.mul(b, 3));
        return tf.add(a, b);
      },
      { check: 0 },
    );
    expect([1, 2, 3].map(() => tf.tidy(() => run().dataSync()[0]))).toEqual([5, 12, 31]);
    expect([...start.dataSync()]).toEqual([1]);
  });

  it('follows the choices of the host', () => {
    const parameters = { w: parameter(tf.tensor([1, 1])) };
    const optimizer = accumulate(adam({ lr: 0.1 }), 3);
    const step = (x: tf.Tensor) => {
      const { value, grads } = valueAndGrad(() => tf.sum(tf.mul(parameters.w, x)) as tf.Scalar, parameters);
      optimizer.step(parameters, grads);
      return value;
    };
    const run = compile(step, { check: 0 });
    const seen: number[] = [];
    for (let i = 0; i < 9; i++) {
      tf.tidy(() => void run(tf.tensor([1, -1])));
      seen.push(Math.round(parameters.w.dataSync()[0]! * 10));
    }
    expect(seen).toEqual([10, 10, 9, 9, 9, 8, 8, 8, 7]);
  });

  it('is checked against a new trace, and names where they part', () => {
    let factor = 2;
    const run = compile(
      function drifting(x: tf.Tensor) {
        return factor > 2 ? tf.exp(x) : tf.mul(x, factor);
      },
      { check: 2 },
    );
    const x = tf.tensor([1, 2]);
    run(x);
    factor = 3;
    run(x);
    expect(() => run(x)).toThrow(CompileError);
    expect(() => {
      run(x);
      run(x);
    }).toThrow(/compile\(drifting\).*recorded Mul.*now Exp/);
  });

  it('is checked for constants that change', () => {
    let factor = 2;
    const run = compile(
      function scaled(x: tf.Tensor) {
        return tf.mul(x, factor);
      },
      { check: 1 },
    );
    const x = tf.tensor([1, 2]);
    run(x);
    run(x);
    factor = 3;
    expect(() => run(x)).toThrow(/a constant of Multiply: 2, now a constant of Multiply: 3/);
  });

  it('that turns its key into numbers runs as it is, with a warning', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const run = compile((key: Key) => tf.scalar(key.words()[0] % 7));
    for (const seed of [1, 2, 3])
      expect(tf.tidy(() => run(randomKey(seed)).dataSync()[0])).toBe(randomKey(seed).words()[0] % 7);
    expect(warn.mock.calls[0]![0]).toMatch(/words of its key/);
  });

  it('whose arguments are new at every call stops being recorded, with a warning', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const run = compile((x: tf.Tensor, label: string) => tf.add(x, label.length));
    const x = tf.scalar(1);
    for (let i = 0; i < 50; i++) expect(tf.tidy(() => run(x, 'a'.repeat(i)).dataSync()[0])).toBe(i + 1);
    expect(warn.mock.calls[0]![0]).toMatch(
      /recorded at nearly every call.*argument 1, lately "a+" and then "a+"/,
    );
  });

  it('that reads a value in its middle runs as it is, with a warning', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const run = compile((x: tf.Tensor) => tf.mul(x, tf.sum(x).dataSync()[0]!));
    const at = (values: number[]) => tf.tidy(() => [...run(tf.tensor(values)).dataSync()]);
    expect([at([1, 2]), at([3, 4])]).toEqual([
      [3, 6],
      [21, 28],
    ]);
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0]![0]).toMatch(/reads a tensor/);
  });

  it('returns and assigns what it has reshaped last', () => {
    const state = tf.variable(tf.zeros([2, 2]));
    const run = compile(
      (x: tf.Tensor) => {
        const flat = tf.add(x, 1);
        state.assign(tf.reshape(flat, [2, 2]));
        return { row: tf.reshape(flat, [1, 4]), column: tf.reshape(flat, [4, 1]) };
      },
      { check: 0 },
    );
    for (const first of [1, 5, 9]) {
      const { row, column } = run(tf.tensor([first, 0, 0, 0]));
      expect([row.shape, column.shape]).toEqual([
        [1, 4],
        [4, 1],
      ]);
      for (const y of [row, column, state]) expect([...y.dataSync()]).toEqual([first + 1, 1, 1, 1]);
      expect(tf.tidy(() => [...tf.add(state, tf.ones([2, 1])).dataSync()])).toEqual([first + 2, 2, 2, 2]);
    }
    state.dispose();
  });

  it('takes its random numbers from the key that it is given', () => {
    const run = compile((key: Key) => normal(key, [5]), { check: 0 });
    for (const seed of [1, 2, 3])
      expect(tf.tidy(() => [...run(randomKey(seed)).dataSync()])).toEqual([
        ...hostNormal(randomKey(seed), 5),
      ]);
  });
});
