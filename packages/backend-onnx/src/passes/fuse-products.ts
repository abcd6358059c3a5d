import { sameShape } from '../trace/graph';
import type { Graph, GraphNode, GraphValue } from './ir';
import { operandsFrom, replaceValues, scaled, usersOf } from './rewrite';

/** Rows from which on the runtime's product with a summand is as fast as the one without. */
const MANY_ROWS = 8;

/**
 * A matrix product takes a factor and a summand along, which saves a pass over its operand or its result each:
 * - `(s·a)·b` and `s·(a·b)` become one product with the factor `alpha`;
 * - `a·b + c`, for a bias or for a whole matrix `c`, becomes one product with a third operand.
 */
export function fuseProducts(graph: Graph): void {
  takeFactorsOfOperands(graph);
  takeFactorsOfResults(graph);
  takeSummands(graph);
}

function isProduct(node: GraphNode | null | undefined): node is GraphNode {
  return node?.type === 'MatMul' && node.outputs[0]!.dtype === 'float32';
}

function alphaOf(node: GraphNode): number {
  return (node.attrs.alpha as number | undefined) ?? 1;
}

function takeFactorsOfOperands(graph: Graph): void {
  const users = usersOf(graph);
  for (const node of graph.nodes) {
    const out = node.outputs[0]!;
    const parts = scaled(out);
    if (!parts || !(users.get(out) ?? []).every(isProduct)) continue;
    const [x, factor] = parts;
    for (const product of new Set(users.get(out)) as Set<GraphNode>) {
      const uses = product.inputs.slice(0, 2).filter((v) => v === out).length;
      if (uses === 0) continue;
      product.attrs = { ...product.attrs, alpha: alphaOf(product) * factor ** uses };
      product.inputs = product.inputs.map((v, i) => (v === out && i < 2 ? x : v));
    }
  }
}

function takeFactorsOfResults(graph: Graph): void {
  const users = usersOf(graph);
  const replaced = new Map<GraphValue, GraphValue>();
  for (const node of graph.nodes) {
    const [x, factor] = scaled(node.outputs[0]!) ?? [];
    if (!isProduct(x?.node) || x.node.inputs.length > 2 || users.get(x)!.length > 1) continue;
    x.node.attrs = { ...x.node.attrs, alpha: alphaOf(x.node) * factor! };
    replaced.set(node.outputs[0]!, x);
  }
  replaceValues(graph, replaced);
}

function takeSummands(graph: Graph): void {
  const users = usersOf(graph);
  for (const node of graph.nodes) {
    const out = node.outputs[0]!;
    if (node.type !== 'Add' || out.shape.length !== 2 || out.shape[0]! < MANY_ROWS) continue;
    const fits = ({ node: product, shape }: GraphValue) =>
      isProduct(product) && product.inputs.length === 2 && sameShape(shape, out.shape);
    const operands = operandsFrom(node, (v) => fits(v) && users.get(v)!.length === 1);
    if (!operands) continue;
    const [product, summand] = operands;
    if (summand.splat !== undefined) continue;
    const { type, attrs, inputs } = product.node!;
    // The sum takes over: the other summand may be computed after the product.
    Object.assign(node, { type, attrs, inputs: [...inputs, summand] });
  }
}
