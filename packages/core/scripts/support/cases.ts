import * as tf from '@tensorflow/tfjs-core';
import { convolutionCases } from './convolution-cases';
import { elementwiseCases } from './elementwise-cases';
import { imageCases } from './image-cases';
import { shapeCases } from './shape-cases';

/** One call of a kernel, small enough for finite differences. */
export interface KernelCase {
  kernel: string;
  /** What distinguishes it from the kernel's other cases. */
  name?: string;
  /** Float inputs, with respect to which it is differentiated where it has a gradient. */
  inputs: Float[];
  run(...inputs: tf.Tensor[]): tf.Tensor | tf.Tensor[];
  /** Whether a gradient means something. Default true. */
  differentiable?: boolean;
}

/** A float32 input with fixed pseudo-random values in `[low, high)`. */
export interface Float {
  shape: number[];
  low?: number;
  high?: number;
}

export const kernelCases: readonly KernelCase[] = [
  ...elementwiseCases,
  ...shapeCases,
  ...convolutionCases,
  ...imageCases,
].sort((a, b) => (a.kernel < b.kernel ? -1 : a.kernel > b.kernel ? 1 : 0));

/** Kernels that training does not need and that nobody here completes: strings, ragged and complex tensors, canvas. */
export const outside: readonly string[] = [
  tf.Complex,
  tf.ComplexAbs,
  tf.Draw,
  tf.FFT,
  tf.FromPixels,
  tf.IFFT,
  tf.Imag,
  tf.RaggedGather,
  tf.RaggedRange,
  tf.RaggedTensorToTensor,
  tf.Real,
  tf.StaticRegexReplace,
  tf.StringNGrams,
  tf.StringSplit,
  tf.StringToHashBucketFast,
];

/**
 * Evenly spaced values in a mixed order, so that no two of an input are close: a finite difference then never crosses
 * a kink between them, such as that of a maximum. Different inputs (`seed`) lie between each other's values.
 */
export function makeInput({ shape, low = -1, high = 1 }: Float, seed: number): tf.Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  const rank = Array.from({ length: n }, (_, i) => i).sort((a, b) => noise(a, seed) - noise(b, seed));
  const offset = 0.5 + 0.2 * Math.sin(2 * seed + 1);
  return tf.tensor(
    Float32Array.from(rank, (r) => low + ((high - low) * (r + offset)) / n),
    shape,
  );
}

function noise(i: number, seed: number): number {
  const x = Math.sin(12.9898 * (i + 1) + 78.233 * (seed + 1)) * 43758.5453;
  return x - Math.floor(x);
}
