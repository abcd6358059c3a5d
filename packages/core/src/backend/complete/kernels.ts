import type { KernelCompletion } from './completion';
import { conv2dBackpropFilter } from './conv2d-backprop-filter';
import { conv2dBackpropInput } from './conv2d-backprop-input';
import { depthwiseBackpropFilter, depthwiseBackpropInput } from './depthwise-backprop';
import { einsum } from './einsum';
import { unsortedSegmentSum } from './unsorted-segment-sum';

/** Kernels that core can supply to a backend without them. */
export const kernelCompletions: readonly KernelCompletion[] = [
  conv2dBackpropFilter,
  conv2dBackpropInput,
  depthwiseBackpropFilter,
  depthwiseBackpropInput,
  einsum,
  unsortedSegmentSum,
];
