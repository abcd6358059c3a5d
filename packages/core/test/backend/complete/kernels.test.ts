import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { kernelCases } from '../../../scripts/support/cases';
import { checkCase, forwardValues } from '../../../scripts/support/check';
import { useBackend } from '../../../src/backend';
import { composedKernel } from '../../../src/backend/complete/completion';
import { einsumByMatMul } from '../../../src/backend/complete/einsum';
import { kernelCompletions } from '../../../src/backend/complete/kernels';
import { current, numbers } from '../on-backend';

// The compositions in the place of the kernel that the backend has, so that each runs on every backend.

await useBackend('cpu');
const completions = kernelCompletions.map((completion) => {
  const cases = kernelCases.filter((c) => c.kernel === completion.kernel);
  return {
    kernel: completion.kernel,
    completion,
    cases: cases.map((c) => ({ c, reference: forwardValues(c) })),
  };
});
await useBackend(current);

let restore: () => void = () => {};
afterEach(() => restore());

describe('a composed kernel gives what tfjs cpu gives', () => {
  it.each(completions)('$kernel', ({ kernel, completion, cases }) => {
    const native = tf.getKernel(kernel, current);
    tf.unregisterKernel(kernel, current);
    tf.registerKernel(composedKernel(completion, current));
    restore = () => {
      tf.unregisterKernel(kernel, current);
      tf.registerKernel(native);
    };
    expect(cases.length).toBeGreaterThan(0);
    for (const { c, reference } of cases) {
      const result = checkCase({ ...c, differentiable: false }, reference);
      expect(result.forward, result.note).toBe('right');
    }
  });
});

describe('einsum', () => {
  const sum = (equation: string, ...shapes: number[][]) =>
    tf.tidy(() => {
      const y = einsumByMatMul(
        equation,
        shapes.map((s, i) => numbers(s, i + 1)),
      );
      return { shape: y.shape, values: Array.from(y.dataSync()) };
    });
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((total, x, i) => total + x * b[i]!, 0);

  it('multiplies three operands from left to right', () => {
    const three = sum('ij,jk,kl->il', [2, 3], [3, 4], [4, 5]);
    const two = tf.tidy(() =>
      Array.from(tf.matMul(tf.matMul(numbers([2, 3], 1), numbers([3, 4], 2)), numbers([4, 5], 3)).dataSync()),
    );
    expect(three.shape).toEqual([2, 5]);
    expect(three.values).toBeAllClose(two, 1e-5);
  });

  it('reads a missing arrow as the labels that occur once, in alphabetical order', () => {
    expect(sum('ba,bc', [2, 3], [2, 4])).toEqual(sum('ba,bc->ac', [2, 3], [2, 4]));
  });

  it('makes outer products, inner products and sums', () => {
    expect(sum('i,j->ij', [2], [3]).shape).toEqual([2, 3]);
    const [a, b] = tf.tidy(() => [numbers([4], 1).dataSync(), numbers([4], 2).dataSync()] as const);
    expect(sum('i,i->', [4], [4]).values).toBeAllClose([dot(a, b)], 1e-6);
    expect(sum('ij->j', [2, 3]).shape).toEqual([3]);
    expect(sum('ij->ji', [2, 3]).shape).toEqual([3, 2]);
  });

  it.each([
    ['ii->i', [[2, 2]], /repeats a label/],
    [
      'ij,jk->ik',
      [
        [2, 3],
        [4, 5],
      ],
      /label "j" has sizes 3 and 4/,
    ],
    ['ij->k', [[2, 3]], /output label "k"/],
    ['ij->i', [[2, 3, 4]], /does not fit/],
    ['i1->i', [[2, 3]], /labels must be letters/],
  ] as const)('refuses %s', (equation, shapes, message) => {
    expect(() => sum(equation, ...shapes.map((s) => [...s]))).toThrow(message);
  });
});
