import { sameShape } from '../trace/graph';
import type { Graph, GraphValue } from './ir';

/** Elementwise operators, which broadcast their operands themselves. */
const BROADCASTING = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Max',
  'Min',
  'Pow',
  'SquaredDifference',
  'Equal',
  'Greater',
  'GreaterOrEqual',
  'Less',
  'LessOrEqual',
  'NotEqual',
]);

/**
 * An expanded operand is read unexpanded where the other operand already has the full shape.
 * The gradients of sums and means broadcast a small tensor to a large one only to multiply it there.
 */
export function lazyBroadcast(graph: Graph): void {
  // A product with a full tensor of ones is a broadcast in disguise.
  for (const node of graph.nodes) {
    if (node.type !== 'Mul') continue;
    const [a, b] = node.inputs as [GraphValue, GraphValue];
    const [ones, x] = a.splat === 1 ? [a, b] : b.splat === 1 ? [b, a] : [];
    if (!ones || !x) continue;
    node.type = 'Expand';
    node.attrs = {};
    node.inputs = [x];
  }
  for (const node of graph.nodes) {
    if (!BROADCASTING.has(node.type)) continue;
    const full = node.outputs[0]!.shape;
    for (const [i, other] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const source = unexpanded(node.inputs[i]!);
      if (source && sameShape(node.inputs[other]!.shape, full)) node.inputs[i] = source;
    }
  }
}

function unexpanded(value: GraphValue): GraphValue | undefined {
  const { node } = value;
  if (!node || (node.type !== 'Expand' && node.type !== 'Tile')) return undefined;
  const source = node.inputs[0]!;
  if (node.type === 'Expand') return source;
  // A Tile is a broadcast where it repeats axes of size 1 only.
  if (source.shape.length !== value.shape.length) return undefined;
  const broadcast = source.shape.every((d, i) => d === value.shape[i] || d === 1);
  return broadcast ? source : undefined;
}
