import { sameShape } from '../trace/graph';
import type { Graph, GraphNode, GraphValue } from './ir';

const BINARY: Record<string, (a: number, b: number) => number> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Max: Math.max,
  Min: Math.min,
};
/** Operations that only move or repeat elements: uniform in, uniform out. */
const MOVES = new Set([
  'Reshape',
  'Transpose',
  'Expand',
  'Tile',
  'Slice',
  'Reverse',
  'Identity',
  'Gather',
  'StridedSlice',
]);

/** Computes operations on uniform constants, and drops additions of 0 and products with 1. */
export function foldConstants(graph: Graph): void {
  const alias = new Map<GraphValue, GraphValue>();
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map((v) => alias.get(v) ?? v);
    const splat = fold(node);
    if (splat !== undefined) {
      const out = node.outputs[0]!;
      const constant: GraphValue = { shape: out.shape, dtype: out.dtype, node: null, splat };
      alias.set(out, constant);
      continue;
    }
    const same = identity(node);
    if (same) alias.set(node.outputs[0]!, same);
  }
  graph.outputs = graph.outputs.map((v) => alias.get(v) ?? v);
}

function fold({ type, inputs, outputs }: GraphNode): number | undefined {
  const [a, b] = inputs;
  const out = outputs[0]!;
  if (a?.splat === undefined) return undefined;
  if (MOVES.has(type)) return a.splat;
  if (out.dtype !== 'float32') return undefined;
  if (type === 'Cast') return a.splat;
  if (type === 'Neg') return -a.splat;
  if (type === 'Sqrt') return Math.fround(Math.sqrt(a.splat));
  const binary = BINARY[type];
  return binary && b?.splat !== undefined ? Math.fround(binary(a.splat, b.splat)) : undefined;
}

/** The input that a node merely repeats, if it does. */
function identity({ type, inputs, outputs }: GraphNode): GraphValue | undefined {
  const out = outputs[0]!;
  const [a, b] = inputs;
  const is = (v: GraphValue | undefined): v is GraphValue =>
    v !== undefined && v.dtype === out.dtype && sameShape(v.shape, out.shape);
  if (type === 'Identity' || type === 'Cast' || type === 'Reshape' || type === 'Expand')
    return is(a) ? a : undefined;
  if (type === 'Mul') return b?.splat === 1 && is(a) ? a : a?.splat === 1 && is(b) ? b : undefined;
  if (type === 'Div') return b?.splat === 1 && is(a) ? a : undefined;
  if (type === 'Add') return b?.splat === 0 && is(a) ? a : a?.splat === 0 && is(b) ? b : undefined;
  if (type === 'Sub') return b?.splat === 0 && is(a) ? a : undefined;
  return undefined;
}
