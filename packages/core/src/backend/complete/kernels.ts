import type { KernelCompletion } from './completion';
import { conv2dBackpropFilter } from './conv2d-backprop-filter';
import { conv2dBackpropInput } from './conv2d-backprop-input';
import { conv3dBackpropFilter, conv3dBackpropInput } from './conv3d-backprop';
import { depthwiseBackpropFilter, depthwiseBackpropInput } from './depthwise-backprop';
import { einsum } from './einsum';
import { unsortedSegmentSum } from './unsorted-segment-sum';

/** Kernels that core can supply to a backend without them. */
export const kernelCompletions: readonly KernelCompletion[] = [
  conv2dBackpropFilter,
  conv2dBackpropInput,
  conv3dBackpropFilter,
  conv3dBackpropInput,
  depthwiseBackpropFilter,
  depthwiseBackpropInput,
  einsum,
  unsortedSegmentSum,
];
