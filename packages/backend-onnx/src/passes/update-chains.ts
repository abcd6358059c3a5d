import { sameShape } from '../trace/graph';
import type { Graph, GraphNode, GraphValue } from './ir';
import { usersOf } from './rewrite';

/** Elementwise operators that optimizers are made of. */
const ELEMENTWISE = new Set([
  'Abs',
  'Add',
  'Clip',
  'Div',
  'Max',
  'Min',
  'Mul',
  'Neg',
  'Reciprocal',
  'Rsqrt',
  'Sign',
  'Sqrt',
  'Square',
  'Sub',
]);

/** A connected set of elementwise nodes of one shape that nothing but the program's outputs reads. */
export interface UpdateChain {
  nodes: GraphNode[];
  /** Tensors of the chain's shape that come from outside, in order of their first use. */
  external: GraphValue[];
  /** Scalars that are not compile-time constants, in order of their first use. */
  scalars: GraphValue[];
  shape: readonly number[];
  /** Equal for chains that compute the same function of their external tensors and of the same scalars. */
  signature: string;
}

/** All such chains. They read nothing of each other, since each reaches as far as its values are read. */
export function updateChains(graph: Graph): UpdateChain[] {
  const users = usersOf(graph);
  const chainOf = new Map<GraphNode, Set<GraphNode>>();
  // Backwards: a node belongs to a chain if all its readers are outputs of the program or nodes of chains.
  for (const node of [...graph.nodes].reverse()) {
    if (!isElementwise(node)) continue;
    const { shape } = node.outputs[0]!;
    const readers = users.get(node.outputs[0]!) ?? [];
    const inside = readers.every((r) => !r || (chainOf.has(r) && sameShape(r.outputs[0]!.shape, shape)));
    if (!inside) continue;
    const chain = new Set([node]);
    for (const reader of readers) for (const other of (reader && chainOf.get(reader)) || []) chain.add(other);
    for (const other of chain) chainOf.set(other, chain);
  }
  const members = new Map<Set<GraphNode>, GraphNode[]>();
  for (const node of graph.nodes) {
    const chain = chainOf.get(node);
    if (!chain) continue;
    const list = members.get(chain);
    if (list) list.push(node);
    else members.set(chain, [node]);
  }
  const outputs = new Set(graph.outputs);
  const numbers = new Map<GraphValue, number>();
  return [...members.values()].map((nodes) => describe(nodes, outputs, numbers));
}

function isElementwise({ type, inputs, outputs }: GraphNode): boolean {
  const { shape, dtype } = outputs[0]!;
  if (!ELEMENTWISE.has(type) || dtype !== 'float32' || shape.length === 0) return false;
  return inputs.every((v) => isScalar(v) || sameShape(v.shape, shape)) && inputs.some((v) => !isScalar(v));
}

/** Whether a value is one number for all elements. */
export function isScalar({ shape, splat }: GraphValue): boolean {
  return splat !== undefined || shape.length === 0;
}

/** `numbers` counts the scalars of the program, which chains share or do not. */
function describe(
  nodes: GraphNode[],
  outputs: ReadonlySet<GraphValue>,
  numbers: Map<GraphValue, number>,
): UpdateChain {
  const external: GraphValue[] = [];
  const scalars: GraphValue[] = [];
  const inner = new Map(nodes.map((node, i) => [node.outputs[0]!, i]));
  const reference = (value: GraphValue): string => {
    const at = inner.get(value);
    if (at !== undefined) return `n${at}`;
    if (value.splat !== undefined) return `=${value.splat}`;
    const list = isScalar(value) ? scalars : external;
    if (!list.includes(value)) list.push(value);
    if (list === external) return `x${external.indexOf(value)}`;
    if (!numbers.has(value)) numbers.set(value, numbers.size);
    return `s${numbers.get(value)}`;
  };
  const lines = nodes.map(({ type, attrs, inputs, outputs: [out] }) => {
    const given = outputs.has(out!) ? '→' : '';
    return `${given}${type}${JSON.stringify(attrs)}(${inputs.map(reference).join()})`;
  });
  return { nodes, external, scalars, shape: nodes[0]!.outputs[0]!.shape, signature: lines.join(';') };
}
