import { adam, buffer, compile, fromHost, madeState, parameter } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { explain } from '../../src';
import type { OnnxBackend } from '../../src/backend';

const compilations = () => (tf.backend() as OnnxBackend).programs.statistics.compiled;

/** Sums what it is given, in a variable that it makes at its first call, and counts its calls as a `make` would. */
function sums({ tells = true, reads = false } = {}) {
  const calls = parameter(tf.scalar(0));
  let total: tf.Variable | undefined;
  let [made, traced] = [0, 0];
  const step = (x: tf.Tensor) => {
    traced++;
    calls.assign(tf.add(calls, 1));
    const n = fromHost(() => Float32Array.of(++made), [], 'float32');
    if (!total) {
      total = tf.variable(tf.zeros(x.shape));
      if (tells) madeState([total]);
    }
    total.assign(tf.add(total, tf.mul(x, n)));
    if (reads) total.dataSync();
    return { twice: tf.mul(total, 2), x };
  };
  return {
    run: compile(step, { check: 0 }),
    counts: () => ({ calls: calls.dataSync()[0], made, traced }),
    total: () => total!.dataSync()[0],
    dispose: () => tf.dispose([calls, total!]),
  };
}

describe('a step that makes state', () => {
  it('is traced again with it, and does everything once', () => {
    const x = tf.scalar(3);
    const { run, counts, total, dispose } = sums();
    const first = run(x);
    expect(first.twice.dataSync()[0]).toBe(6);
    expect(x.isDisposed).toBe(false);
    expect(total()).toBe(3);
    expect(counts()).toEqual({ calls: 1, made: 1, traced: 2 });
    const known = compilations();
    const second = run(x);
    expect(second.twice.dataSync()[0]).toBe(18);
    expect(counts()).toEqual({ calls: 2, made: 2, traced: 2 });
    expect(compilations()).toBe(known);
    tf.dispose([x, first, second]);
    dispose();
  });

  it.each([{ tells: false }, { reads: true }])('runs as it is with %j', (options) => {
    const x = tf.scalar(3);
    const { run, counts, total, dispose } = sums(options);
    tf.dispose(run(x).twice);
    expect(total()).toBe(3);
    expect(counts()).toEqual({ calls: 1, made: 1, traced: 1 });
    x.dispose();
    dispose();
  });

  it('made anew at every call is not traced for ever', () => {
    const w = parameter(tf.tensor([1, 1]));
    const optimizers: ReturnType<typeof adam>[] = [];
    const run = compile(() => {
      const optimizer = adam({ lr: 0.5 });
      optimizers.push(optimizer);
      optimizer.step({ w }, { w: tf.ones([2]) });
    });
    run();
    expect(w.dataSync()[0]).toBeCloseTo(0.5, 4);
    for (const optimizer of optimizers) optimizer.dispose();
    w.dispose();
  });

  it('leaves nothing behind', async () => {
    await expectNoLeak(() => {
      const { run, dispose } = sums();
      // What it returns of its arguments is a tensor of its own in a replay.
      const x = tf.scalar(1);
      for (let i = 0; i < 3; i++) tf.dispose(i === 0 ? run(x).twice : run(x));
      x.dispose();
      dispose();
    });
  });
});

describe('a step that copies a variable which it leaves alone', () => {
  const setUp = () => {
    const table = buffer(tf.tensor1d([1, 2, 3], 'int32'));
    const copy = buffer(tf.tensor1d([0, 0, 0], 'int32'));
    const total = parameter(tf.scalar(0));
    const run = compile(
      (x: tf.Tensor) => {
        total.assign(tf.add(total, tf.sum(tf.mul(x, table))) as tf.Scalar);
        tf.tidy(() => copy.assign(tf.clone(table as tf.Tensor1D)));
        return { total: tf.clone(total as tf.Scalar) };
      },
      { check: 0 },
    );
    return { table, copy, total, run };
  };

  it('computes nothing for it, and follows what is assigned elsewhere', () => {
    const { table, copy, total, run } = setUp();
    const x = tf.tensor1d([1, 1, 1]);
    const said = () => {
      const result = run(x);
      const [value] = result.total.dataSync();
      result.total.dispose();
      return value;
    };
    expect(said()).toBe(6);
    expect(said()).toBe(12);
    expect(Array.from(copy.dataSync())).toEqual([1, 2, 3]);
    table.assign(tf.tensor1d([4, 5, 6], 'int32'));
    expect(Array.from(copy.dataSync())).toEqual([1, 2, 3]);
    copy.assign(tf.tensor1d([7, 7, 7], 'int32'));
    expect(said()).toBe(27);
    expect(Array.from(copy.dataSync())).toEqual([4, 5, 6]);
    expect(Array.from(table.dataSync())).toEqual([4, 5, 6]);
    tf.dispose([x, table, copy, total]);
  });

  it('gives outputs of the program to neither', async () => {
    const { table, copy, total, run } = setUp();
    const x = tf.tensor1d([1, 1, 1]);
    tf.dispose(run(x));
    const { outputs } = await explain(() => run(x), { runs: 0 });
    // The total, as a variable and as the result.
    expect(outputs.count).toBeLessThanOrEqual(2);
    tf.dispose([x, table, copy, total]);
  });

  it('copies what was there where the other one changes too', () => {
    const now = parameter(tf.scalar(1));
    const last = parameter(tf.scalar(0));
    const run = compile(
      () => {
        last.assign(tf.clone(now as tf.Scalar));
        now.assign(tf.mul(now, 2) as tf.Scalar);
      },
      { check: 0 },
    );
    for (const expected of [1, 2, 4]) {
      run();
      expect(last.dataSync()[0]).toBe(expected);
      expect(now.dataSync()[0]).toBe(2 * expected);
    }
    tf.dispose([now, last]);
  });

  it('holds no tensors', async () => {
    const { table, copy, total, run } = setUp();
    const x = tf.tensor1d([1, 1, 1]);
    await expectNoLeak(() => tf.dispose(run(x)));
    tf.dispose([x, table, copy, total]);
  });
});
