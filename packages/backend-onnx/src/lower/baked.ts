import type { GraphNode, GraphValue } from '../passes/ir';
import { sizeOf } from '../trace/graph';

/** Elements up to which constant data goes into the model: feeding it would cost more than a second copy does. */
const SMALL = 4096;

/** Operators that ONNX Runtime computes once, when it loads the model, where their operands are constant. */
const FOLDED = new Set(['Transpose', 'Reshape', 'Slice', 'Split', 'Concat', 'Cast', 'Reverse']);

/**
 * Whether an operand whose data is known goes into the model. That costs a copy of it, so large data does where it
 * gains: the right matrix of a product and the filter of a convolution, which ONNX Runtime packs for its kernels, and what
 * such a matrix is made of.
 * Lookups and elementwise operators read large constants as they are; those are fed, without a copy.
 */
export function isBaked(node: GraphNode | null, operand: number, value: GraphValue): boolean {
  if (!value.data) return false;
  // What a pass made has nowhere else to come from.
  if (value.leaf === undefined || sizeOf(value.shape) <= SMALL) return true;
  if (!node) return false;
  if (node.type === 'MatMul') return operand === 1 && value.shape.length === 2;
  if (node.type === 'Conv2D') return operand === 1;
  return FOLDED.has(node.type) && node.inputs.every((v) => v.data ?? v.splat !== undefined);
}
