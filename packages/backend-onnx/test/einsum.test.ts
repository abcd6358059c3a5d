import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectNative } from './agree';
import { numbers } from './on-cpu';

describe('einsum agrees with the cpu backend', () => {
  it.each([
    [
      'ij,jk->ik',
      [
        [3, 4],
        [4, 5],
      ],
    ],
    [
      'ij,kj->ik',
      [
        [3, 4],
        [5, 4],
      ],
    ],
    [
      'ji,jk->ik',
      [
        [4, 3],
        [4, 5],
      ],
    ],
    [
      'bqd,bkd->bqk',
      [
        [2, 3, 4],
        [2, 5, 4],
      ],
    ],
    [
      'bqhd,bkhd->bhqk',
      [
        [2, 3, 2, 4],
        [2, 5, 2, 4],
      ],
    ],
    [
      'bhqk,bkhd->bqhd',
      [
        [2, 2, 3, 5],
        [2, 5, 2, 4],
      ],
    ],
    ['i,j->ij', [[3], [4]]],
    [
      'bi,bi->b',
      [
        [3, 4],
        [3, 4],
      ],
    ],
    [
      'bij,bj->bi',
      [
        [2, 3, 4],
        [2, 4],
      ],
    ],
    [
      'ij,ij->ij',
      [
        [3, 4],
        [3, 4],
      ],
    ],
    [
      'ij,ij->',
      [
        [3, 4],
        [3, 4],
      ],
    ],
    ['ijk->ki', [[2, 3, 4]]],
    ['ij->ij', [[2, 3]]],
    ['ij->', [[2, 3]]],
    [
      'abc,cd->abd',
      [
        [2, 3, 4],
        [4, 5],
      ],
    ],
    [
      'ijk,jil->kl',
      [
        [3, 2, 4],
        [2, 3, 5],
      ],
    ],
  ] as [string, number[][]][])('%s', (equation, shapes) => {
    const operands = shapes.map((shape, i) => numbers(shape, i + 1));
    expectNative(() => tf.einsum(equation, ...operands), 1e-6);
    // Here tfjs cpu gives back its input, and so counts the gradient twice.
    if (equation === 'ij->ij') return;
    const loss = (...xs: tf.Tensor[]) => {
      const y = tf.einsum(equation, ...xs);
      return tf.sum(tf.mul(y, numbers(y.shape, 9)));
    };
    operands.forEach((_, i) => void expectNative(() => tf.grads(loss)(operands)[i]!, 1e-5));
  });

  it('keeps integers, and rejects what tfjs rejects', () => {
    const [a, b] = [tf.ones([2, 3], 'int32'), tf.ones([3, 4], 'int32')];
    expectNative(() => tf.einsum('ij,jk->ik', a, b));
    expect(() => tf.einsum('ij,jk', a, b)).toThrow();
    expect(() => tf.einsum('ij,jk->ik', a, a)).toThrow();
  });
});
