import { sameShape, sizeOf } from '../trace/graph';
import type { Graph, GraphNode, GraphValue } from './ir';
import { makeNode, usersOf } from './rewrite';

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
/** Tensors of more elements are left alone: for them the work outweighs the call. */
const SMALL = 20_000;
/** Elements of a merged tensor at most, so that a chain of operators finds its data in the cache. */
const LARGEST = 131_072;

/** A connected set of elementwise nodes of one shape that nothing but the program's outputs reads. */
interface Chain {
  nodes: GraphNode[];
  /** Tensors of the chain's shape that come from outside, in order of their first use. */
  external: GraphValue[];
  shape: readonly number[];
  /** Equal for chains that compute the same function of their external tensors and of shared scalars. */
  signature: string;
}

/**
 * Updates of many small tensors become a few of larger ones.
 *
 * An optimizer computes the same dozen operators for each parameter, most of them biases and scales of a few hundred
 * elements, where calling an operator costs more than its work. Chains that compute the same function, at the end of
 * the program, are run once over a concatenation. No element's arithmetic changes.
 */
export function mergeUpdates(graph: Graph): void {
  const chains = chainsOf(graph);
  const groups = new Map<string, Chain[]>();
  for (const chain of chains) {
    const group = groups.get(chain.signature);
    if (group) group.push(chain);
    else groups.set(chain.signature, [chain]);
  }
  const outputs = new Set(graph.outputs);
  const replaced = new Map<GraphValue, GraphValue>();
  const added: GraphNode[] = [];
  for (const group of groups.values()) {
    for (const part of parts(group)) if (part.length > 1) added.push(...merged(part, outputs, replaced));
  }
  if (added.length === 0) return;
  // Nothing else reads them, so the end is a good place; the nodes that they replace are dead now.
  graph.nodes.push(...added);
  graph.outputs = graph.outputs.map((v) => replaced.get(v) ?? v);
}

function chainsOf(graph: Graph): Chain[] {
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
  const outputs = new Set(graph.outputs);
  const numbers = new Map<GraphValue, number>();
  return [...new Set(chainOf.values())].map((set) => {
    const nodes = graph.nodes.filter((node) => set.has(node));
    return describe(nodes, outputs, numbers);
  });
}

function isElementwise({ type, inputs, outputs }: GraphNode): boolean {
  const { shape, dtype } = outputs[0]!;
  if (!ELEMENTWISE.has(type) || dtype !== 'float32' || shape.length === 0 || sizeOf(shape) > SMALL)
    return false;
  return inputs.every((v) => isScalar(v) || sameShape(v.shape, shape)) && inputs.some((v) => !isScalar(v));
}

function isScalar({ shape, splat }: GraphValue): boolean {
  return splat !== undefined || shape.length === 0;
}

/** `numbers` counts the scalars of the program, which chains share or do not. */
function describe(
  nodes: GraphNode[],
  outputs: ReadonlySet<GraphValue>,
  numbers: Map<GraphValue, number>,
): Chain {
  const external: GraphValue[] = [];
  const inner = new Map(nodes.map((node, i) => [node.outputs[0]!, i]));
  const reference = (value: GraphValue): string => {
    const at = inner.get(value);
    if (at !== undefined) return `n${at}`;
    if (value.splat !== undefined) return `=${value.splat}`;
    if (isScalar(value)) {
      if (!numbers.has(value)) numbers.set(value, numbers.size);
      return `s${numbers.get(value)}`;
    }
    if (!external.includes(value)) external.push(value);
    return `x${external.indexOf(value)}`;
  };
  const lines = nodes.map(({ type, attrs, inputs, outputs: [out] }) => {
    const given = outputs.has(out!) ? '→' : '';
    return `${given}${type}${JSON.stringify(attrs)}(${inputs.map(reference).join()})`;
  });
  return { nodes, external, shape: nodes[0]!.outputs[0]!.shape, signature: lines.join(';') };
}

/** Splits a group where its tensors together would grow too large. */
function parts(group: readonly Chain[]): Chain[][] {
  const result: Chain[][] = [];
  let size = Infinity;
  for (const chain of group) {
    size += sizeOf(chain.shape);
    if (size > LARGEST) {
      result.push([]);
      size = sizeOf(chain.shape);
    }
    result.at(-1)!.push(chain);
  }
  return result;
}

/** The nodes that compute several chains at once. What the program reads of them is put into `replaced`. */
function merged(
  chains: readonly Chain[],
  outputs: ReadonlySet<GraphValue>,
  replaced: Map<GraphValue, GraphValue>,
): GraphNode[] {
  const [first] = chains as [Chain];
  const { origin } = first.nodes[0]!;
  const sizes = chains.map(({ shape }) => sizeOf(shape));
  const total = sizes.reduce((a, b) => a + b, 0);
  const nodes: GraphNode[] = [];
  const add = (...args: Parameters<typeof makeNode>): GraphValue => {
    const node = makeNode(...args);
    nodes.push(node);
    return node.outputs[0]!;
  };
  const view = (value: GraphValue, shape: readonly number[]) =>
    sameShape(value.shape, shape) ? value : add('Reshape', origin, [value], { shape }, shape);
  const values = new Map<GraphValue, GraphValue>();
  first.external.forEach((value, k) => {
    const flat = chains.map(({ external }, i) => view(external[k]!, [sizes[i]!]));
    values.set(value, add('Concat', origin, flat, { axis: 0 }, [total]));
  });
  first.nodes.forEach((node, k) => {
    const inputs = node.inputs.map((v) => values.get(v) ?? (isScalar(v) ? scalarOf(v) : v));
    const out = add(node.type, node.origin, inputs, node.attrs, [total]);
    values.set(node.outputs[0]!, out);
    if (!outputs.has(node.outputs[0]!)) return;
    const split: GraphNode = { type: 'Split', origin, inputs: [out], attrs: { axis: 0, sizes }, outputs: [] };
    split.outputs = sizes.map((size) => ({ shape: [size], dtype: 'float32', node: split }));
    nodes.push(split);
    chains.forEach(({ nodes: own, shape }, i) => {
      replaced.set(own[k]!.outputs[0]!, view(split.outputs[i]!, shape));
    });
  });
  return nodes;
}

function scalarOf(value: GraphValue): GraphValue {
  return value.splat === undefined ? value : { ...value, shape: [] };
}
