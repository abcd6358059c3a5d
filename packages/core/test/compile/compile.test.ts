import { compile, registerCompiler, type StepCompiler, setCompileCheck } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';

describe('compile', () => {
  it('does what the step does, and owns nothing in between', async () => {
    const step = compile((x: tf.Tensor, factor: number) => ({ y: tf.mul(tf.add(x, 1), factor) }));
    const x = tf.tensor([1, 2]);
    for (const factor of [2, 3, 2]) {
      const { y } = step(x, factor);
      expect([...y.dataSync()]).toEqual([2 * factor, 3 * factor]);
      y.dispose();
    }
    await expectNoLeak(() => tf.dispose(step(x, 2)));
    x.dispose();
  });

  it('updates variables at every call', () => {
    const count = tf.variable(tf.scalar(0));
    const step = compile(() => {
      count.assign(tf.add(count, 1));
      return tf.mul(count, 10);
    });
    expect(Array.from({ length: 5 }, () => tf.tidy(() => step().dataSync()[0]))).toEqual([
      10, 20, 30, 40, 50,
    ]);
    expect(count.dataSync()[0]).toBe(5);
    count.dispose();
  });

  describe('with a compiler', () => {
    const name = tf.getBackend();
    const eager: StepCompiler =
      (step) =>
      (...args) =>
        tf.tidy(() => step(...args) as never) as never;
    afterEach(() => setCompileCheck(0));

    it.runIf(name === 'cpu')('asks the backend that is current, with the options', () => {
      const asked: unknown[] = [];
      registerCompiler(name, (step, options) => {
        asked.push(options);
        return eager(step, options);
      });
      setCompileCheck(4);
      const f = compile(function square(x: tf.Tensor) {
        return tf.square(x);
      });
      const x = tf.scalar(3);
      expect([f(x), f(x)].map((y) => y.dataSync()[0])).toEqual([9, 9]);
      expect(asked).toEqual([{ name: 'square', check: 4, constants: 'frozen' }]);
      registerCompiler(name, eager);
    });
  });
});
