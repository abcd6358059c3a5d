import { hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

// As on a GPU: nobody looks at the targets.
vi.mock('../../../src/ops/host-values', () => ({ hostValues: () => null }));
vi.resetModules(); // the set-up has loaded them unmocked
const { crossEntropy, nll, oneHot } = await import('../../../src/ops');

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

describe.each(Object.entries({ crossEntropy, nll }))('%s', (_, loss) => {
  const x = tf.keep(hashed([4, 3], 1));
  const targets = (...t: number[]) => tf.tensor1d(t, 'int32');

  test('a class that does not exist makes its own loss NaN, and the mean', () => {
    for (const wrong of [3, -1, 1e6]) {
      const t = targets(0, wrong, 2, -100);
      const rows = Array.from(loss(x, t, { reduction: 'none' }).dataSync());
      expect(rows.map(Number.isNaN)).toEqual([false, true, false, false]);
      expect(loss(x, t).dataSync()[0]).toBeNaN();
    }
  });

  test('all else is as where they are seen', () => {
    const all = loss(x, targets(0, 1, 2, 0), { reduction: 'none' }).dataSync();
    const some = loss(x, targets(0, -100, 2, 0), { reduction: 'none' });
    expect(some).toBeAllClose([all[0]!, 0, all[2]!, all[3]!]);
    const mean = loss(x, targets(0, -100, 2, 0));
    expect(mean).toBeAllClose([(all[0]! + all[2]! + all[3]!) / 3]);
  });

  test('ignored rows take no gradient', () => {
    const dx = tf.grad((z: tf.Tensor) => loss(z, targets(0, -100, 2, 0)))(x);
    expect(tf.slice(dx, [1, 0], [1, 3])).toBeAllClose(tf.zeros([1, 3]));
  });
});

test('oneHot gives a row of zeros', () => {
  expect(oneHot(tf.tensor1d([1, 5], 'int32'), 2)).toBeAllClose([0, 1, 0, 0]);
});
