import { CONV_FIELDS } from '../lower/conv2d';
import type { GraphNode } from '../passes/ir';
import { sizeOf } from '../trace/graph';

/** Floating-point operations of a program, a multiplication and an addition counted as two. */
export interface Flops {
  matmul: number;
  /** As the definition has them, whatever algorithm the convolution is computed by. */
  convolution: number;
  /** One an element: of the result, or for reductions of what they reduce. */
  elementwise: number;
  total: number;
}

const CONVOLUTIONS = new Set(
  ['Conv2D', 'DepthwiseConv2D'].flatMap((op) => [op, `${op}InputGradient`, `${op}FilterGradient`]),
);
const REDUCTIONS = new Set(['Sum', 'Mean', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ArgMax', 'ArgMin']);
/** Operations that move, select or relabel elements. */
const MOVES = new Set([
  'Cast',
  'Concat',
  'DepthTaps',
  'Diagonal',
  'Expand',
  'Gather',
  'GatherBatched',
  'GatherNd',
  'Identity',
  'MirrorPad',
  'OneHot',
  'Pad',
  'Reshape',
  'Reverse',
  'Select',
  'Slice',
  'SliceFrom',
  'Split',
  'StridedSlice',
  'Tile',
  'Transpose',
]);

/** Counts a graph as it was recorded. */
export function flopsOf(nodes: readonly GraphNode[]): Flops {
  const flops = { matmul: 0, convolution: 0, elementwise: 0, total: 0 };
  for (const node of nodes) {
    const { type, inputs, outputs, attrs } = node;
    const size = sizeOf(outputs[0]!.shape);
    if (MOVES.has(type)) continue;
    if (type === 'MatMul') flops.matmul += 2 * size * inner(node);
    else if (CONVOLUTIONS.has(type)) flops.convolution += 2 * products(type, attrs.geometry as number[]);
    else flops.elementwise += REDUCTIONS.has(type) ? sizeOf(inputs[0]!.shape) : size;
  }
  flops.total = flops.matmul + flops.convolution + flops.elementwise;
  return flops;
}

/** Length of the sums of a matrix product. */
function inner({ inputs, attrs }: GraphNode): number {
  const { shape } = inputs[0]!;
  return shape.at(attrs.transA ? -2 : -1) ?? 1;
}

/** The forward pass and both gradients multiply the same pairs. */
function products(type: string, geometry: readonly number[]): number {
  const of = (field: (typeof CONV_FIELDS)[number]) => geometry[CONV_FIELDS.indexOf(field)]!;
  const outputs = of('batch') * of('outHeight') * of('outWidth') * of('outChannels');
  const taps = of('kernelHeight') * of('kernelWidth');
  return outputs * taps * (type.startsWith('Depthwise') ? 1 : of('channels'));
}
