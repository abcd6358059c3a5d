import * as tf from '@tensorflow/tfjs-core';
import { composedKernel } from '../complete/completion';
import { conv3dBackpropInput } from '../complete/conv3d-backprop';
import { batchMatMul } from './batch-mat-mul';
import { guardedConvolutions } from './conv2d';
import { conv2dBackpropInput } from './conv2d-backprop-input';
import { applyCorrection, type Correction, type WasmKernel } from './correction';
import { fusedMatMul } from './fused-mat-mul';
import { gather } from './gather';
import { identity } from './identity';
import { leakyRelu } from './leaky-relu';
import { maxPoolGrad, maxPoolWithArgmax } from './max-pool';
import { oneHot } from './one-hot';
import { depthToSpace, reverse, slice, split, stridedSlice, tile } from './strided-copy';
import { mean, sum } from './sum';
import { tanh } from './tanh';
import { unsortedSegmentSum } from './unsorted-segment-sum';

/** Reads outside its tensors: which values come out depends on what lies beside them in the heap. */
const conv3dInputGradient: Correction = {
  kernel: tf.Conv3DBackpropInputV2,
  correct: () => composedKernel(conv3dBackpropInput, 'wasm').kernelFunc as unknown as WasmKernel,
};

const corrections: readonly Correction[] = [
  batchMatMul,
  conv2dBackpropInput,
  conv3dInputGradient,
  depthToSpace,
  fusedMatMul,
  gather,
  ...guardedConvolutions,
  identity,
  leakyRelu,
  maxPoolGrad,
  maxPoolWithArgmax,
  mean,
  oneHot,
  reverse,
  slice,
  split,
  stridedSlice,
  sum,
  tanh,
  tile,
  unsortedSegmentSum,
];

/** Wrong (they take 10⁻³⁸ for the least number) and not needed: better missing than silently wrong. */
const removed: readonly string[] = [tf.Dilation2D, tf.Dilation2DBackpropFilter, tf.Dilation2DBackpropInput];

/** Replaces kernels of tfjs's wasm backend that are wrong or needlessly slow. Returns their names. */
export function correctWasm(): string[] {
  for (const correction of corrections) applyCorrection(correction);
  for (const name of removed) tf.unregisterKernel(name, 'wasm');
  return corrections.map(({ kernel }) => kernel);
}
