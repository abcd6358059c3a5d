import * as tf from '@tensorflow/tfjs-core';
import type { Correction, WasmKernel } from './correction';
import { type BackendWasm, heap, start } from './heap';

// Sums and means: gradients of every bias and of every broadcast, statistics of every normalization, losses.
//
// tfjs's own transposes the input first where the axes are not the last ones (2 to 5 ms for a million elements), and
// adds up in one float: the mean of a million numbers around 1 is then wrong in the fourth digit.
//
// Over leading or middle axes, XNNPACK's average pooling with one window as high as the sum is long reads the tensor
// once, several channels at a time (0.2 ms). Over the last axes and over axes that lie apart, a loop over the heap with
// double-precision accumulators (0.4 to 1 ms).

export const sum: Correction = { kernel: tf.Sum, correct: (original) => reduction(original, false) };
export const mean: Correction = { kernel: tf.Mean, correct: (original) => reduction(original, true) };

/** Below this, pooling is mostly overhead. */
const SMALL = 2048;

function reduction(original: WasmKernel, average: boolean): WasmKernel {
  return (args) => {
    const x = args.inputs.x!;
    if (x.dtype !== 'float32') return original(args);
    const { axis, keepDims }: { axis: number | number[]; keepDims: boolean } = args.attrs;
    const axes = tf.util.parseAxisParam(axis, x.shape).sort((a, b) => a - b);
    const shape = x.shape.flatMap((n, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [n]));
    const groups = mergeAxes(x.shape, axes);
    if (x.size >= SMALL && groups.length <= 3 && groups.at(-2)?.step === 0) {
      return byPooling(x, groups, shape, average);
    }
    return byLoop(args.backend, x, groups, shape, average);
  };
}

/** `[kept, summed, kept]` or `[summed, kept]`. */
function byPooling(x: tf.Tensor, groups: Group[], shape: number[], average: boolean): tf.Tensor {
  const [inner, length, outer] = groups.map(({ size }) => size).reverse() as [number, number, number?];
  return tf.tidy(() => {
    const column: tf.Tensor4D = tf.reshape(x, [outer ?? 1, length, 1, inner]);
    const means = tf.avgPool(column, [length, 1], 1, 'valid'); // (outer, 1, 1, inner)
    return tf.reshape(average ? means : tf.mul(means, length), shape);
  });
}

function byLoop(
  backend: BackendWasm,
  x: tf.Tensor,
  groups: Group[],
  shape: number[],
  average: boolean,
): tf.TensorInfo {
  const out = backend.makeOutput(shape, 'float32');
  const size = tf.util.sizeFromShape(shape);
  const sums = new Float64Array(size);
  const memory = heap(backend);
  if (x.size > 0) accumulate(memory, start(backend, x), groups, sums);
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
  const inner = groups.at(-1) ?? { size: 1, step: 0 };
  groups = groups.slice(0, -1);
  const counter = new Array<number>(groups.length).fill(0);
  const rows = groups.reduce((n, { size }) => n * size, 1);
  let at = from;
  let to = 0;
  for (let row = 0; row < rows; row++) {
    if (inner.step) addRow(memory, at, inner.size, sums, to);
    else {
      // In pieces: V8 optimizes a function that is called often better than one that runs long.
      for (let i = 0; i < inner.size; i += PIECE) {
        sums[to]! += sumRow(memory, at + i, Math.min(PIECE, inner.size - i));
      }
    }
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

const PIECE = 1024;

function addRow(memory: Float32Array, from: number, size: number, sums: Float64Array, to: number): void {
  for (let i = 0; i < size; i++) sums[to + i]! += memory[from + i]!;
}

// Four chains of additions at once: one alone waits for each result.
function sumRow(memory: Float32Array, from: number, size: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
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
