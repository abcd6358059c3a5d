import { batchMatMul } from './batch-mat-mul';
import { conv2dBackpropInput } from './conv2d-backprop-input';
import { applyCorrection, type Correction } from './correction';
import { gather } from './gather';
import { identity } from './identity';
import { leakyRelu } from './leaky-relu';
import { maxPoolGrad } from './max-pool-grad';
import { oneHot } from './one-hot';
import { depthToSpace, reverse, slice, split, stridedSlice, tile } from './strided-copy';
import { mean, sum } from './sum';
import { tanh } from './tanh';
import { unsortedSegmentSum } from './unsorted-segment-sum';

const corrections: readonly Correction[] = [
  batchMatMul,
  conv2dBackpropInput,
  depthToSpace,
  gather,
  identity,
  leakyRelu,
  maxPoolGrad,
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

/** Replaces kernels of tfjs's wasm backend that are wrong or needlessly slow. */
export function correctWasm(): void {
  for (const correction of corrections) applyCorrection(correction);
}
