import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { outsideTape } from '../src/outside-tape';

describe('outsideTape', () => {
  it('takes what is outside as a constant, and gives no gradient back', () => {
    const x = tf.scalar(3);
    let inner: tf.Tensor | undefined;
    const outer = tf.grad((t) => {
      const square = tf.square(t);
      const constant = outsideTape(() => {
        inner = tf.keep(tf.grad((s) => tf.mul(s, tf.square(s)))(square));
        return tf.mul(square, 2);
      });
      return tf.add(tf.mul(square, constant), t) as tf.Scalar;
    })(x);
    expect(inner!.dataSync()[0]).toBe(3 * 81);
    expect(outer.dataSync()[0]).toBe(2 * 3 * 18 + 1); // the second factor, 18, is a constant
    inner!.dispose();
  });

  it('is a plain call where no gradient is computed', () => {
    expect(outsideTape(() => 5)).toBe(5);
    expect(
      tf
        .grad((t) => tf.square(t))(tf.scalar(2))
        .dataSync()[0],
    ).toBe(4);
  });

  it('gives the tape back where it throws', async () => {
    await expectNoLeak(() => {
      const g = tf.grad((t) => {
        const y = tf.square(t);
        expect(() =>
          outsideTape(() => {
            throw new Error('no');
          }),
        ).toThrow('no');
        return y as tf.Scalar;
      });
      const x = tf.scalar(3);
      const dx = g(x);
      expect(dx.dataSync()[0]).toBe(6);
      tf.dispose([x, dx]);
    });
  });

  it('keeps nothing alive for the outer gradient', () => {
    const peak = (around: <T>(fn: () => T) => T) => {
      let most = 0;
      tf.tidy(() => {
        tf.grad((t) => {
          const y = tf.square(t);
          around(() => tf.tidy(() => tf.grad((s) => tf.square(tf.exp(tf.tanh(s))))(y)));
          most = tf.memory().numTensors;
          return y as tf.Scalar;
        })(tf.scalar(1));
      });
      return most;
    };
    expect(peak(outsideTape)).toBeLessThan(peak((fn) => fn()));
  });
});
