import * as tf from '@tensorflow/tfjs-core';
import { einsumByMatMul, parseEquation } from '../complete/einsum';
import type { Gradient } from './config';

/**
 * The gradient of an operand is an einsum of dy with the other operands, with that operand's labels as its result.
 * Labels that nobody else has were summed out; along them the gradient is the same everywhere.
 */
const einsum: Gradient = {
  kernelName: tf.Einsum,
  saveAllInputs: true,
  gradFunc: (dy, saved, { equation }: { equation: string }) => {
    const { inputs, output } = parseEquation(equation);
    const gradients = inputs.map((labels, k) => () => {
      const others = inputs.filter((_, i) => i !== k);
      const known = [...labels].filter((label) => output.includes(label) || others.join('').includes(label));
      const back = `${[output, ...others].join(',')}->${known.join('')}`;
      const part = einsumByMatMul(back, [dy, ...saved.filter((_, i) => i !== k)]);
      if (known.length === labels.length) return part;
      const shape = saved[k]!.shape;
      const cells = [...labels].map((label, i) => (known.includes(label) ? shape[i]! : 1));
      return tf.broadcastTo(tf.reshape(part, cells), shape);
    });
    return Object.fromEntries(gradients.map((gradient, k) => [String(k), gradient]));
  },
};

export const einsumGradients: readonly Gradient[] = [einsum];
