import type { Graph, GraphNode, GraphValue } from './ir';
import { replaceValues, scaled, usersOf } from './rewrite';

/**
 * A matrix product takes factors along, which saves a pass over its operand or its result each: `(s·a)·b` and `s·(a·b)`
 * become one product with the factor `alpha`. (A bias is not taken along: the runtime's product with a summand, Gemm,
 * takes longer than a product and a sum.)
 */
export function fuseProducts(graph: Graph): void {
  takeFactorsOfOperands(graph);
  takeFactorsOfResults(graph);
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
      const uses = product.inputs.filter((v) => v === out).length;
      if (uses === 0) continue;
      product.attrs = { ...product.attrs, alpha: alphaOf(product) * factor ** uses };
      product.inputs = product.inputs.map((v) => (v === out ? x : v));
    }
  }
}

function takeFactorsOfResults(graph: Graph): void {
  const users = usersOf(graph);
  const replaced = new Map<GraphValue, GraphValue>();
  for (const node of graph.nodes) {
    const [x, factor] = scaled(node.outputs[0]!) ?? [];
    // Of batches only: the learning rate is a factor of a matrix's gradient, baked in one run and fed in another, and
    // both have to give the same bits.
    if (!isProduct(x?.node) || x.shape.length < 3 || users.get(x)!.length > 1) continue;
    x.node.attrs = { ...x.node.attrs, alpha: alphaOf(x.node) * factor! };
    replaced.set(node.outputs[0]!, x);
  }
  replaceValues(graph, replaced);
}
