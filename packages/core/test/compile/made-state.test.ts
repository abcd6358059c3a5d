import { accumulate, adam, madeState, parameter, setStateRecorder } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';

afterEach(() => {
  setStateRecorder(null);
});

/** What is told while `body` runs: the values at that time. */
function told(body: () => void): number[][] {
  const values: number[][] = [];
  const before = setStateRecorder((made) => {
    for (const variable of made) values.push([...variable.dataSync()]);
  });
  body();
  setStateRecorder(before);
  return values;
}

describe('madeState', () => {
  it('does nothing where nobody listens', () => {
    const v = tf.variable(tf.scalar(1));
    expect(() => madeState([v])).not.toThrow();
    v.dispose();
  });

  it('is told of moments while they are zero, once', () => {
    const w = parameter(tf.tensor([1, 2]));
    const optimizer = adam();
    const step = () => tf.tidy(() => optimizer.step({ w }, { w: tf.tensor([3, 4]) }));
    expect(told(step)).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(told(step)).toEqual([]);
    tf.dispose(w);
    optimizer.dispose();
  });

  it('is told of loaded moments with what was loaded', async () => {
    const w = parameter(tf.tensor([1, 2]));
    const [first, second] = [adam(), adam()];
    const step = (optimizer: typeof first) => () =>
      tf.tidy(() => optimizer.step({ w }, { w: tf.tensor([3, 4]) }));
    step(first)();
    const state = await first.stateDict();
    second.loadStateDict(state);
    const moments = ['exp_avg.w', 'exp_avg_sq.w'].map((key) => [
      ...new Float32Array(state[key]!.bytes.slice().buffer),
    ]);
    expect(told(step(second))).toEqual(moments);
    tf.dispose(w);
    first.dispose();
    second.dispose();
  });

  it('is told of sums of gradients', () => {
    const w = parameter(tf.tensor([1, 2]));
    const optimizer = accumulate(adam(), 2);
    const step = () => tf.tidy(() => optimizer.step({ w }, { w: tf.tensor([3, 4]) }));
    expect(told(step)).toEqual([[0, 0]]);
    expect(told(step)).toHaveLength(2);
    tf.dispose(w);
    optimizer.dispose();
  });
});
