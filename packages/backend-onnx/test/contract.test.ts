import { adam, compile, type Key, normal, parameter, randomKey, uniform, valueAndGrad } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { OnnxBackend } from '../src/backend';
import { CompileError } from '../src/compile/compile-error';

// Programs that break the contract of a compiled step (what varies must be an argument, a variable or `fromHost`), as
// people would write them by mistake. Each is either caught by the check, or runs right.

const x = () => tf.tensor([1, 2, 3]);
const values = (t: tf.Tensor) => [...t.dataSync()];

function thrown(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Calls until the check, which is at every second call that has a recording, and gives what it throws. */
function caught<A extends unknown[]>(
  step: (...args: A) => tf.Tensor,
  args: (call: number) => [...A],
): CompileError {
  const run = compile(step, { check: 2 });
  const error = thrown(() => {
    for (let call = 0; call < 6; call++) tf.tidy(() => void run(...args(call)).dataSync());
  });
  expect(CompileError.isInstance(error), String(error)).toBe(true);
  return error as CompileError;
}

/** Runs a step compiled and not, and compares what it gives call by call. */
function same<A extends unknown[]>(
  makeStep: () => (...args: A) => tf.Tensor,
  args: (call: number) => [...A],
  calls = 6,
): void {
  const results = [makeStep(), compile(makeStep(), { check: 0 })].map((step) =>
    Array.from({ length: calls }, (_, call) => tf.tidy(() => values(step(...args(call))))),
  );
  expect(results[1]).toEqual(results[0]);
}

describe('a step that breaks the contract is caught by the check', () => {
  it('a counter of JavaScript in the loss', () => {
    let count = 0;
    const error = caught(
      function counting(t: tf.Tensor) {
        count++;
        return tf.mean(tf.mul(t, count));
      },
      () => [x()],
    );
    expect(error).toMatchObject({ code: 'compile', step: 'counting' });
    expect(error.message).toMatch(/a constant of Multiply: \d/);
  });

  it('a learning rate that decays in a variable of JavaScript', () => {
    const w = tf.variable(tf.ones([3]));
    let rate = 0.1;
    caught(
      (t: tf.Tensor) => {
        w.assign(tf.sub(w, tf.mul(t, rate)) as tf.Tensor1D);
        rate *= 0.9;
        return tf.sum(w);
      },
      () => [x()],
    );
  });

  it('a batch that the step closes over', () => {
    let batch: tf.Tensor;
    const error = caught(
      () => tf.sum(tf.square(batch)),
      (call) => {
        batch = tf.tensor([call, 2, 3]);
        return [];
      },
    );
    expect(error.message).toMatch(/a constant of Square: \d/);
  });

  it('random numbers of JavaScript', () => {
    caught(
      (t: tf.Tensor) => tf.mul(t, tf.tensor([Math.random(), Math.random(), Math.random()])),
      () => [x()],
    );
  });

  it('a branch on a flag that somebody else sets', () => {
    let training = true;
    const error = caught(
      (t: tf.Tensor) => {
        const result = training ? tf.relu(t) : tf.tanh(t);
        training = !training;
        return result;
      },
      () => [x()],
    );
    expect(error.message).toMatch(/recorded (Relu|Tanh).*now (Relu|Tanh)/);
  });

  it('a number of repetitions that grows', () => {
    let depth = 0;
    caught(
      (t: tf.Tensor) => {
        depth++;
        let y = t;
        for (let i = 0; i < depth; i++) y = tf.sin(y);
        return y;
      },
      () => [x()],
    );
  });

  it('a slice that moves with a counter', () => {
    let at = 0;
    caught(
      (t: tf.Tensor) => tf.slice(t, [at++ % 3], [1]),
      () => [x()],
    );
  });
});

describe('a step that seems to break the contract runs right', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('shapes that change', () => {
    same(
      () => (t: tf.Tensor) => tf.sum(tf.square(t)),
      (call) => [tf.ones([call + 1, 2])],
    );
  });

  it('shapes that alternate', () => {
    same(
      () => (t: tf.Tensor) => tf.mean(tf.exp(t), 0),
      (call) => [tf.ones([1 + (call % 2), 3])],
      9,
    );
  });

  it('plain numbers as arguments', () => {
    same(
      () => (t: tf.Tensor, power: number) => tf.pow(t, power),
      (call) => [x(), call],
    );
  });

  it('a branch on a value, which has to be read', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    same(
      () => (t: tf.Tensor) => (tf.sum(t).dataSync()[0]! > 6 ? tf.neg(t) : tf.mul(t, 10)),
      (call) => [tf.mul(x(), call % 2 ? 1 : 2)],
    );
    expect(warn.mock.calls[0]![0]).toMatch(/not recorded.*reads a tensor/);
  });

  it('an argument that is also a variable', () => {
    same(
      () => {
        const w = tf.variable(x());
        return () => {
          w.assign(tf.mul(w, 2));
          return tf.add(w, 0);
        };
      },
      () => [],
    );
  });

  it('random numbers from its key', () => {
    same(
      () => (key: Key, t: tf.Tensor) =>
        tf.add(tf.mul(t, normal(key.fold(1), [3])), uniform(key.fold(2), [3])),
      (call) => [randomKey(call), x()],
    );
  });

  it('a schedule of core, and state that an optimizer makes at its first step', () => {
    same(
      () => {
        const parameters = { w: parameter(tf.tensor([1, -1, 2])) };
        const optimizer = adam({ lr: (count) => 0.1 / (count + 1) });
        return (t: tf.Tensor) => {
          const { value, grads } = valueAndGrad(
            () => tf.sum(tf.square(tf.mul(parameters.w, t))) as tf.Scalar,
            parameters,
          );
          optimizer.step(parameters, grads);
          return value;
        };
      },
      () => [x()],
    );
  });

  it('a tensor that outlives the step without being returned', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    same(
      () => {
        let last: tf.Tensor = tf.zeros([3]);
        return (t: tf.Tensor) => {
          last = tf.keep(tf.add(tf.mul(last, 0.5), t));
          return tf.sum(last);
        };
      },
      () => [x()],
    );
    expect(warn.mock.calls[0]![0]).toMatch(/outlives the step/);
  });

  it('an exception in the middle, which leaves nothing recorded', () => {
    let fail = true;
    const run = compile((t: tf.Tensor) => {
      const y = tf.square(t);
      if (fail) throw new Error('not today');
      return y;
    });
    expect(() => run(x())).toThrow('not today');
    expect((tf.backend() as OnnxBackend).recording).toBe(false);
    fail = false;
    for (let i = 0; i < 3; i++) expect(tf.tidy(() => values(run(x())))).toEqual([1, 4, 9]);
  });
});
