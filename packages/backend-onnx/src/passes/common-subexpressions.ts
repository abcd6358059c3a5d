import type { Graph, GraphNode, GraphValue } from './ir';
import { replaceValues } from './rewrite';

/** Computes once what the program computes several times, such as the mean of a gradient that two terms need. */
export function commonSubexpressions(graph: Graph): void {
  const numbers = new Map<GraphValue, number>();
  const numberOf = (value: GraphValue): string => {
    if (value.splat !== undefined) return `${value.dtype}[${value.shape}]=${value.splat}`;
    let n = numbers.get(value);
    if (n === undefined) {
      n = numbers.size;
      numbers.set(value, n);
    }
    return `${n}`;
  };
  const known = new Map<string, GraphNode>();
  const replaced = new Map<GraphValue, GraphValue>();
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map((v) => replaced.get(v) ?? v);
    const { shape, dtype } = node.outputs[0]!;
    const key = `${node.type}${JSON.stringify(node.attrs)}(${node.inputs.map(numberOf)})${dtype}[${shape}]`;
    const same = known.get(key);
    if (same) node.outputs.forEach((output, i) => void replaced.set(output, same.outputs[i]!));
    else known.set(key, node);
  }
  replaceValues(graph, replaced);
}
