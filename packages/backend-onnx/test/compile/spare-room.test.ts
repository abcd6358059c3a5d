import { compile, dropoutMask, type Key, randomKey } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { SpareRoom } from '../../src/compile/spare-room';
import { waves } from '../passes/recorded';

describe('SpareRoom', () => {
  it('lends what was given back, to what fits in, and only then', () => {
    const spare = new SpareRoom();
    const large = spare.room(20_000);
    const small = spare.room(5_000);
    // Nothing was given back.
    expect(spare.room(5_000).buffer).not.toBe(small.buffer);
    spare.take().giveBack();
    const again = spare.room(4_999);
    expect([again.length, again.byteOffset]).toEqual([4_999, 0]);
    expect(again.buffer === small.buffer || again.buffer.byteLength === small.buffer.byteLength).toBe(true);
    expect(spare.room(19_000).buffer).toBe(large.buffer);
  });

  it('does not lend what was taken and not given back', () => {
    const spare = new SpareRoom();
    const lost = spare.room(9_000);
    spare.take();
    spare.take().giveBack();
    expect(spare.room(9_000).buffer).not.toBe(lost.buffer);
  });

  it('holds no more arrays than a step uses', () => {
    const spare = new SpareRoom();
    const seen = new Set<ArrayBufferLike>();
    for (let n = 5_000; n < 100_000; n += 5_000) {
      spare.room(n);
      spare.take().giveBack();
    }
    for (let i = 0; i < 10; i++) seen.add(spare.room(5_000).buffer);
    expect([...seen].filter(({ byteLength }) => byteLength > 4 * 8_000)).toHaveLength(1);
  });
});

describe('masks of a compiled step', () => {
  const step = (x: tf.Tensor, key: Key) => {
    const mask = dropoutMask(key.fold(1), 0.3, x.shape);
    const other = dropoutMask(key.fold(2), 0.6, x.shape);
    return { product: tf.mul(tf.add(x, other), mask), mask };
  };

  it('are those of the step as it is, at every size, and stay what they are once they are returned', () => {
    const run = compile(step, { check: 4 });
    const kept: [tf.Tensor[], tf.Tensor[]][] = [];
    for (const [i, rows] of [900, 900, 900, 500, 900, 500, 500, 1300, 900, 1300, 500, 1300].entries()) {
      const x = waves([rows, 10], i + 1);
      const key = randomKey(3).fold(i);
      kept.push([Object.values(tf.tidy(() => run(x, key))), Object.values(tf.tidy(() => step(x, key)))]);
      x.dispose();
    }
    for (const [compiled, plain] of kept) {
      for (const [i, tensor] of compiled.entries()) expect(tensor.dataSync()).toEqual(plain[i]!.dataSync());
      tf.dispose([compiled, plain]);
    }
  });

  it('may become the value of a variable', () => {
    const held = tf.variable(tf.zeros([6_000]));
    const run = compile((key: Key) => {
      const mask = dropoutMask(key, 0.5, [6_000]);
      held.assign(mask as never);
      return tf.sum(mask);
    });
    for (let i = 0; i < 5; i++) {
      const key = randomKey(4).fold(i);
      const sum = tf.tidy(() => run(key));
      const before = held.dataSync().slice();
      expect(before).toEqual(tf.tidy(() => dropoutMask(key, 0.5, [6_000]).dataSync()));
      const copy = tf.clone(held as tf.Tensor);
      tf.dispose(tf.tidy(() => run(key.fold(1))));
      expect(copy.dataSync()).toEqual(before);
      tf.dispose([sum, copy]);
    }
    held.dispose();
  });
});
