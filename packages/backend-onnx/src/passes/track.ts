import type { Graph, GraphNode, GraphValue } from './ir';

/** What one pass did to a graph. */
export interface PassReport {
  pass: string;
  /** Nodes that are gone, dead ones included. */
  removed: number;
  added: number;
  /** Nodes that stayed and compute something else, or from something else. */
  rewritten: number;
}

/** Runs a rewrite and counts what it did, by comparing the graph's nodes before and after. */
export function tracked(pass: string, graph: Graph, rewrite: () => void): PassReport {
  const before = new Map<GraphNode, { type: string; attrs: object; inputs: readonly GraphValue[] }>();
  for (const node of graph.nodes)
    before.set(node, { type: node.type, attrs: node.attrs, inputs: [...node.inputs] });
  rewrite();
  const report = { pass, removed: 0, added: 0, rewritten: 0 };
  for (const node of graph.nodes) {
    const was = before.get(node);
    if (!was) report.added++;
    else if (was.type !== node.type || was.attrs !== node.attrs || !same(was.inputs, node.inputs))
      report.rewritten++;
  }
  report.removed = before.size + report.added - graph.nodes.length;
  return report;
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}
