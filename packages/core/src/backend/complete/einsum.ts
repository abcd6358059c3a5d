import * as tf from '@tensorflow/tfjs-core';
import type { KernelCompletion } from './completion';

/** `'bij,bjk->bik'` → `{ inputs: ['bij', 'bjk'], output: 'bik' }`; without an arrow, the labels that occur once, sorted. */
export function parseEquation(equation: string): { inputs: string[]; output: string } {
  const [left, right] = equation.replace(/\s/g, '').split('->') as [string, string | undefined];
  const inputs = left.split(',');
  for (const labels of inputs) {
    if (!/^[a-zA-Z]*$/.test(labels)) throw new Error(`einsum: labels must be letters, got "${labels}"`);
    if (new Set(labels).size !== labels.length) throw new Error(`einsum: "${labels}" repeats a label`);
  }
  if (right !== undefined) return { inputs, output: right };
  const all = inputs.join('');
  const once = [...new Set(all)].filter((label) => all.split(label).length === 2);
  return { inputs, output: once.sort().join('') };
}

/** A tensor with a letter for each axis. */
interface Labelled {
  tensor: tf.Tensor;
  labels: string;
}

/** Contracts the operands from left to right; each pair is one batched matrix product. */
export function einsumByMatMul(equation: string, tensors: tf.Tensor[]): tf.Tensor {
  const { inputs, output } = parseEquation(equation);
  if (inputs.length !== tensors.length) {
    throw new Error(`einsum: equation "${equation}" has ${inputs.length} operands, got ${tensors.length}`);
  }
  const operands = tensors.map((tensor, i): Labelled => {
    if (tensor.rank !== inputs[i]!.length) {
      throw new Error(`einsum: "${inputs[i]}" does not fit shape [${tensor.shape}]`);
    }
    return { tensor, labels: inputs[i]! };
  });
  let result = operands[0]!;
  for (let i = 1; i < operands.length; i++) {
    const later = operands.slice(i + 1).map(({ labels }) => labels);
    result = contract(result, operands[i]!, new Set(output + later.join('')));
  }
  result = sumOut(result, new Set(output));
  for (const label of output) {
    if (!result.labels.includes(label)) throw new Error(`einsum: output label "${label}" is in no operand`);
  }
  // A fresh tensor even for 'ij->ij': a kernel must not return its input.
  return tf.transpose(result.tensor, order(result.labels, output));
}

/** One product. Labels in neither `kept` nor the other operand are summed beforehand. */
function contract(left: Labelled, right: Labelled, kept: Set<string>): Labelled {
  const a = sumOut(left, new Set([...kept, ...right.labels]));
  const b = sumOut(right, new Set([...kept, ...left.labels]));
  const shared = [...a.labels].filter((l) => b.labels.includes(l));
  const batch = shared.filter((l) => kept.has(l)).join('');
  const summed = shared.filter((l) => !kept.has(l)).join('');
  const freeA = [...a.labels].filter((l) => !shared.includes(l)).join('');
  const freeB = [...b.labels].filter((l) => !shared.includes(l)).join('');
  const size = sizes(a, b);
  const count = (labels: string) => [...labels].reduce((n, l) => n * size(l), 1);

  // [batch, free a, summed] × [batch, summed, free b]
  const lhs = tf.reshape(tf.transpose(a.tensor, order(a.labels, batch + freeA + summed)), [
    count(batch),
    count(freeA),
    count(summed),
  ]);
  const rhs = tf.reshape(tf.transpose(b.tensor, order(b.labels, batch + summed + freeB)), [
    count(batch),
    count(summed),
    count(freeB),
  ]);
  const labels = batch + freeA + freeB;
  return { tensor: tf.reshape(tf.matMul(lhs, rhs), [...labels].map(size)), labels };
}

function sumOut({ tensor, labels }: Labelled, kept: Set<string>): Labelled {
  const axes = [...labels].flatMap((label, i) => (kept.has(label) ? [] : [i]));
  if (axes.length === 0) return { tensor, labels };
  return { tensor: tf.sum(tensor, axes), labels: [...labels].filter((l) => kept.has(l)).join('') };
}

function order(from: string, to: string): number[] {
  return [...to].map((label) => from.indexOf(label));
}

function sizes(...operands: Labelled[]): (label: string) => number {
  const size = new Map<string, number>();
  for (const { tensor, labels } of operands) {
    [...labels].forEach((label, i) => {
      const n = tensor.shape[i]!;
      if (size.has(label) && size.get(label) !== n) {
        throw new Error(`einsum: label "${label}" has sizes ${size.get(label)} and ${n}`);
      }
      size.set(label, n);
    });
  }
  return (label) => size.get(label)!;
}

export const einsum: KernelCompletion = {
  kernel: tf.Einsum,
  run: (tensors, { equation }: { equation: string }) => einsumByMatMul(equation, Object.values(tensors)),
};
