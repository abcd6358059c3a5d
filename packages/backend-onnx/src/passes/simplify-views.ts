import { sameShape, sizeOf } from '../trace/graph';
import type { Graph, GraphNode, GraphValue } from './ir';
import { madeBy, makeNode, replaceValues } from './rewrite';

/** Elementwise operators of one or two operands, which compute the same under any shape that their operands share. */
const ELEMENTWISE = new Set([
  'Abs',
  'Add',
  'Clip',
  'Div',
  'Erf',
  'Exp',
  'Log',
  'Max',
  'Min',
  'Mul',
  'Neg',
  'Reciprocal',
  'Relu',
  'Rsqrt',
  'Sigmoid',
  'Sqrt',
  'Square',
  'Sub',
  'Tanh',
]);

/**
 * Reshapes and transposes that change nothing, or that another one undoes, go; what remains of the reshapes moves
 * behind elementwise operators, so that a linear layer's rows stay rows from one product to the next.
 */
export function simplifyViews(graph: Graph): void {
  const replaced = new Map<GraphValue, GraphValue>();
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map((v) => replaced.get(v) ?? v);
    nodes.push(...(sunk(node) ?? [node]));
    const same = simplified(node);
    if (same) replaced.set(node.outputs[0]!, same);
  }
  graph.nodes = nodes;
  replaceValues(graph, replaced);
}

/** Makes a node simpler in place. Returns the value that it only repeats, if it does. */
function simplified(node: GraphNode): GraphValue | undefined {
  const [x] = node.inputs;
  const out = node.outputs[0]!;
  if (node.type === 'Transpose') {
    const before = madeBy(x, 'Transpose');
    if (before) {
      const first = before.attrs.perm as readonly number[];
      node.attrs = { perm: (node.attrs.perm as readonly number[]).map((axis) => first[axis]!) };
      node.inputs = [before.inputs[0]!];
    }
    if (keepsOrder(node.inputs[0]!.shape, node.attrs.perm as readonly number[])) {
      node.type = 'Reshape';
      node.attrs = { shape: out.shape };
    }
  }
  if (node.type === 'Reshape') {
    const before = madeBy(node.inputs[0], 'Reshape');
    if (before) node.inputs = [before.inputs[0]!];
  }
  if (['Reshape', 'Slice', 'Pad', 'Identity'].includes(node.type)) {
    // A slice or a padding that keeps the shape keeps everything.
    if (sameShape(node.inputs[0]!.shape, out.shape) && node.inputs[0]!.dtype === out.dtype)
      return node.inputs[0];
  }
  return undefined;
}

/** Whether only axes of length 1 change their place. */
function keepsOrder(shape: readonly number[], perm: readonly number[]): boolean {
  const moved = perm.filter((axis) => shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || moved[i - 1]! < axis);
}

/** `f(reshape(a), reshape(b))` becomes `reshape(f(a, b))`: the node now computes before the reshape that follows it. */
function sunk(node: GraphNode): GraphNode[] | undefined {
  const out = node.outputs[0]!;
  if (!ELEMENTWISE.has(node.type) || sizeOf(out.shape) < 2) return undefined;
  const views = node.inputs.map((v) =>
    sameShape(v.shape, out.shape) ? madeBy(v, 'Reshape')?.inputs[0] : undefined,
  );
  const source = views.find((v) => v !== undefined);
  if (!source) return undefined;
  const inputs = node.inputs.map((v, i) => {
    const view = views[i];
    if (view && sameShape(view.shape, source.shape)) return view;
    if (v.shape.length === 0) return v;
    if (v.splat !== undefined) return { ...v, shape: [] };
    // A row that is added to every row, as a bias is, fits wherever the last axis is the same.
    const isRow =
      v.shape.length === 1 && v.shape[0] === source.shape.at(-1) && v.shape[0] === out.shape.at(-1);
    return isRow ? v : undefined;
  });
  if (!inputs.every((v) => v !== undefined)) return undefined;
  const computed = makeNode(node.type, node.origin, inputs, node.attrs, source.shape, out.dtype);
  node.type = 'Reshape';
  node.attrs = { shape: out.shape };
  node.inputs = [computed.outputs[0]!];
  return [computed, node];
}
