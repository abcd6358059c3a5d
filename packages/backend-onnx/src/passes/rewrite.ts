import { type Attrs, sameShape, type ValueType } from '../trace/graph';
import type { Graph, GraphNode, GraphValue } from './ir';

/** A new node with one output. Its caller puts it in the graph, after what it reads. */
export function makeNode(
  type: string,
  origin: string,
  inputs: GraphValue[],
  attrs: Attrs,
  shape: readonly number[],
  dtype: ValueType = 'float32',
): GraphNode {
  const node: GraphNode = { type, origin, inputs, attrs, outputs: [] };
  node.outputs.push({ shape, dtype, node });
  return node;
}

/** A value that is the same number everywhere. */
export function splatValue(splat: number, shape: readonly number[] = []): GraphValue {
  return { shape, dtype: 'float32', node: null, splat };
}

/** The readers of every value; the program's outputs count as one reader, `null`, each. */
export function usersOf(graph: Graph): Map<GraphValue, Array<GraphNode | null>> {
  const users = new Map<GraphValue, Array<GraphNode | null>>();
  const add = (value: GraphValue, user: GraphNode | null) => {
    const known = users.get(value);
    if (known) known.push(user);
    else users.set(value, [user]);
  };
  for (const node of graph.nodes) for (const input of node.inputs) add(input, node);
  for (const output of graph.outputs) add(output, null);
  return users;
}

/** Makes every reader of `from` read `to` instead. */
export function replaceValues(graph: Graph, replacements: ReadonlyMap<GraphValue, GraphValue>): void {
  if (replacements.size === 0) return;
  const final = (value: GraphValue): GraphValue => {
    let v = value;
    for (let next = replacements.get(v); next; next = replacements.get(v)) v = next;
    return v;
  };
  for (const node of graph.nodes) node.inputs = node.inputs.map(final);
  graph.outputs = graph.outputs.map(final);
}

/**
 * Puts the nodes into an order in which each comes after those that it reads; otherwise their order is kept.
 * For passes whose new nodes take the place of earlier ones.
 */
export function sortNodes(graph: Graph): void {
  const sorted: GraphNode[] = [];
  const state = new Map<GraphNode, 'open' | 'done'>();
  for (const root of graph.nodes) {
    const stack = [root];
    while (stack.length) {
      const node = stack.at(-1)!;
      if (state.get(node) === 'done') {
        stack.pop();
        continue;
      }
      const before = state.get(node)
        ? []
        : node.inputs.flatMap((v) => (v.node && !state.get(v.node) ? [v.node] : []));
      state.set(node, 'open');
      if (before.length > 0) {
        stack.push(...before.reverse());
        continue;
      }
      stack.pop();
      state.set(node, 'done');
      sorted.push(node);
    }
  }
  graph.nodes = sorted;
}

/** The node that computes `value`, where it is of this type. */
export function madeBy(value: GraphValue | undefined, type: string): GraphNode | undefined {
  return value?.node?.type === type ? value.node : undefined;
}

/** The operands of a commutative node with `chosen` first, where that is one of them. */
export function operandsFrom(
  node: GraphNode,
  chosen: (value: GraphValue) => boolean,
): [GraphValue, GraphValue] | undefined {
  const [a, b] = node.inputs as [GraphValue, GraphValue];
  return chosen(a) ? [a, b] : chosen(b) ? [b, a] : undefined;
}

/** A product with a known number: `[x, number]`. */
export function scaled(value: GraphValue | undefined): [x: GraphValue, factor: number] | undefined {
  const node = madeBy(value, 'Mul');
  const operands = node && operandsFrom(node, (v) => v.splat !== undefined);
  if (!operands) return undefined;
  const [factor, x] = operands;
  return sameShape(x.shape, value!.shape) ? [x, factor.splat!] : undefined;
}
