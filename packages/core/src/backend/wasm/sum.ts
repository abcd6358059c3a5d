import * as tf from '@tensorflow/tfjs-core';
import type { Correction } from './correction';
import { type BackendWasm, heap, start } from './heap';

/**
 * Sum and Mean of float32, over any axes, in one pass with double-precision accumulators.
 *
 * tfjs's own transposes the input first where the axes are not the last ones (2 to 5 ms instead of 1 for a million
 * elements), and adds up in one float: the mean of a million numbers around 1 is then wrong in the fourth digit.
 */
export const sum: Correction = {
  kernel: tf.Sum,
  correct: (original) => (args) => {
    const x = args.inputs.x!;
    return x.dtype === 'float32' ? reduce(args.backend, x, args.attrs, false) : original(args);
  },
};

export const mean: Correction = {
  kernel: tf.Mean,
  correct: (original) => (args) => {
    const x = args.inputs.x!;
    return x.dtype === 'float32' ? reduce(args.backend, x, args.attrs, true) : original(args);
  },
};

function reduce(
  backend: BackendWasm,
  x: tf.Tensor,
  { axis, keepDims }: { axis: number | number[]; keepDims: boolean },
  average: boolean,
): tf.TensorInfo {
  const axes = tf.util.parseAxisParam(axis, x.shape);
  const shape = x.shape.flatMap((n, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [n]));
  const out = backend.makeOutput(shape, 'float32');
  const size = tf.util.sizeFromShape(shape);
  const sums = new Float64Array(size);
  const memory = heap(backend);
  if (x.size > 0) accumulate(memory, start(backend, x), mergeAxes(x.shape, axes), sums);
  const to = start(backend, out);
  const share = average ? size / x.size : 1;
  for (let i = 0; i < size; i++) memory[to + i] = sums[i]! * share;
  return out;
}

interface Group {
  size: number;
  /** Step of the output index, 0 where the group is summed over. */
  step: number;
}

/** Neighbouring axes that are both summed over, or both not, as one; axes of length 1 as none. */
function mergeAxes(shape: number[], axes: number[]): Group[] {
  const groups: { size: number; summed: boolean }[] = [];
  shape.forEach((size, i) => {
    if (size === 1) return;
    const summed = axes.includes(i);
    const last = groups.at(-1);
    if (last && last.summed === summed) last.size *= size;
    else groups.push({ size, summed });
  });
  let step = 1;
  const result: Group[] = [];
  for (const { size, summed } of groups.reverse()) {
    result.unshift({ size, step: summed ? 0 : step });
    if (!summed) step *= size;
  }
  return result;
}

function accumulate(memory: Float32Array, from: number, groups: Group[], sums: Float64Array): void {
  const inner = groups.pop() ?? { size: 1, step: 0 };
  const counter = new Array<number>(groups.length).fill(0);
  const rows = groups.reduce((n, { size }) => n * size, 1);
  let at = from;
  let to = 0;
  for (let row = 0; row < rows; row++) {
    if (inner.step) addRow(memory, at, inner.size, sums, to);
    else sums[to]! += sumRow(memory, at, inner.size);
    at += inner.size;
    for (let d = groups.length - 1; d >= 0; d--) {
      const { size, step } = groups[d]!;
      to += step;
      counter[d]!++;
      if (counter[d]! < size) break;
      to -= step * size;
      counter[d] = 0;
    }
  }
}

function addRow(memory: Float32Array, from: number, size: number, sums: Float64Array, to: number): void {
  for (let i = 0; i < size; i++) sums[to + i]! += memory[from + i]!;
}

// Four chains of additions at once: one alone waits for each result.
function sumRow(memory: Float32Array, from: number, size: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const end = from + size;
  let i = from;
  for (; i + 3 < end; i += 4) {
    a += memory[i]!;
    b += memory[i + 1]!;
    c += memory[i + 2]!;
    d += memory[i + 3]!;
  }
  for (; i < end; i++) a += memory[i]!;
  return a + b + (c + d);
}
