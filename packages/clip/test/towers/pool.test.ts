import { ArgumentError } from '@poiesis/core';
import { checkGradients, expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { poolAtToken } from '../../src';

const tokens = tf.tensor2d([1, 9, 7, 7, 2, 7], [2, 3], 'int32');

describe('poolAtToken', () => {
  it('finds the first token of that id, also where others are higher', () => {
    const x = hashed([2, 3, 4], 1) as tf.Tensor3D;
    const rows = tf.unstack(tf.reshape(x, [6, 4]));
    expect(poolAtToken(x, tokens, 7)).toBeAllClose(tf.stack([rows[2]!, rows[3]!]), 0);
  });

  it('has a gradient', () => {
    checkGradients((x) => poolAtToken(x as tf.Tensor3D, tokens, 7), [hashed([2, 3, 4], 1)]);
  });

  it('leaves no tensors behind', async () => {
    const x = hashed([2, 3, 4], 1) as tf.Tensor3D;
    await expectNoLeak(() => poolAtToken(x, tokens, 7).dispose());
  });

  it('says which text has no such token', () => {
    const x = hashed([2, 3, 4], 1) as tf.Tensor3D;
    let error: unknown;
    try {
      poolAtToken(x, tokens, 2);
    } catch (thrown) {
      error = thrown;
    }
    expect(ArgumentError.isInstance(error)).toBe(true);
    expect(String(error)).toMatch(/tokens\[0\].*an end-of-text token \(2\) among its 3, got null/);
  });

  it('gives NaN where a device computed the tokens, so that nobody looks at them in time', async () => {
    if (tf.getBackend() !== 'onnx') return;
    const computed = tf.add(tokens, tf.scalar(0, 'int32')) as tf.Tensor2D;
    const pooled = await poolAtToken(tf.ones([2, 3, 1]), computed, 2).data();
    expect([...pooled]).toEqual([Number.NaN, 1]);
  });

  it('refuses tokens of another shape', () => {
    expect(() => poolAtToken(tf.ones([2, 4, 1]), tokens, 7)).toThrow(/tokens.*\[2, 4\], got \[2, 3\]/);
  });
});
