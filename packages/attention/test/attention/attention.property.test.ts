// What holds for attention of any shape.

import { hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allOf, causalMask, scaledDotProductAttention } from '../../src';

/** Each new shape is a program to compile on some backends. */
const settings = { numRuns: tf.getBackend() === 'onnx' ? 8 : 25 };

const shapes = fc.record({
  batch: fc.integer({ min: 1, max: 2 }),
  kvHeads: fc.integer({ min: 1, max: 2 }),
  group: fc.integer({ min: 1, max: 3 }),
  queries: fc.integer({ min: 1, max: 6 }),
  keys: fc.integer({ min: 1, max: 6 }),
  dim: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer({ min: 1, max: 1000 }),
});

type Shapes = typeof shapes extends fc.Arbitrary<infer S> ? S : never;

function inputs({ batch, kvHeads, group, queries, keys, dim, seed }: Shapes) {
  return {
    q: hashed([batch, kvHeads * group, queries, dim], seed, 2),
    k: hashed([batch, kvHeads, keys, dim], seed + 1, 2),
    v: hashed([batch, kvHeads, keys, dim], seed + 2),
    // About a third of all rows see nothing.
    mask: tf.greater(hashed([batch, kvHeads * group, queries, keys], seed + 3), 0.3),
  };
}

/** Runs `check` in a tidy for any shapes. */
const forAny = (check: (shapes: Shapes, tensors: ReturnType<typeof inputs>) => void) =>
  fc.assert(
    fc.property(shapes, (any) => {
      tf.tidy(() => void check(any, inputs(any)));
    }),
    settings,
  );

describe('attention', () => {
  it('does not depend on the order of the keys', () => {
    forAny(({ keys }, { q, k, v, mask }) => {
      const order = tf.range(keys - 1, -1, -1, 'int32');
      const turned = (x: tf.Tensor, axis: number) => tf.gather(x, order, axis);
      const other = scaledDotProductAttention(q, turned(k, 2), turned(v, 2), {
        mask: tf.cast(turned(tf.cast(mask, 'int32'), 3), 'bool'),
      });
      expect(other).toBeAllClose(scaledDotProductAttention(q, k, v, { mask }));
    });
  });

  it('does not depend on what is masked', () => {
    forAny(({ keys }, { q, k, v }) => {
      const last = tf.equal(tf.range(0, keys, 1, 'int32'), tf.scalar(keys - 1, 'int32'));
      const hidden = tf.reshape(last, [1, 1, 1, keys]);
      const changed = (x: tf.Tensor) => tf.add(x, tf.mul(tf.reshape(tf.cast(last, 'float32'), [keys, 1]), 7));
      const options = { mask: tf.logicalNot(hidden) };
      const other = scaledDotProductAttention(q, changed(k), changed(v), options);
      expect(other).toBeAllClose(scaledDotProductAttention(q, k, v, options));
    });
  });

  it('is a mean of values: of equal ones it is these, and 0 where nothing is seen', () => {
    forAny((_, { q, k, v, mask }) => {
      const output = scaledDotProductAttention(q, k, tf.onesLike(v), { mask });
      const sees = tf.cast(tf.any(mask, -1, true), 'float32');
      expect(output).toBeAllClose(tf.mul(tf.onesLike(output), sees));
    });
  });

  it('is that of repeated keys where heads share them', () => {
    forAny(({ kvHeads, group }, { q, k, v, mask }) => {
      const heads = Int32Array.from({ length: kvHeads * group }, (_, head) => Math.floor(head / group));
      const repeated = (x: tf.Tensor) => tf.gather(x, tf.tensor1d(heads, 'int32'), 1);
      const whole = scaledDotProductAttention(q, repeated(k), repeated(v), { mask });
      expect(scaledDotProductAttention(q, k, v, { mask })).toBeAllClose(whole);
    });
  });

  it('is the same in blocks, with its gradients', () => {
    forAny(({ queries }, { q, k, v, mask }) => {
      const queryBlock = Math.ceil(queries / 2);
      const loss = (queryBlock: number | undefined) => (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
        tf.sum(
          tf.square(scaledDotProductAttention(q, k, v, { mask, causal: true, queryBlock })),
        ) as tf.Scalar;
      const whole = tf.grads(loss(undefined))([q, k, v]);
      for (const [i, grad] of tf.grads(loss(queryBlock))([q, k, v]).entries()) {
        expect(grad).toBeAllClose(whole[i]!, 1e-4);
      }
    });
  });

  it('is causal where it is told so, as with the mask', () => {
    forAny(({ queries, keys }, { q, k, v, mask }) => {
      const both = allOf(mask, causalMask(queries, keys))!;
      const expected = scaledDotProductAttention(q, k, v, { mask: both });
      expect(scaledDotProductAttention(q, k, v, { mask, causal: true })).toBeAllClose(expected, 1e-6);
    });
  });

  it('does not feel what is added to all scores of a query', () => {
    forAny(({ queries }, { q, k, v, mask }) => {
      const bias = tf.reshape(tf.range(0, queries), [1, 1, queries, 1]);
      const expected = scaledDotProductAttention(q, k, v, { mask });
      expect(scaledDotProductAttention(q, k, v, { mask, bias })).toBeAllClose(expected);
    });
  });
});
