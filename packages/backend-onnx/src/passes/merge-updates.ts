import { sameShape, sizeOf } from '../trace/graph';
import type { Graph, GraphNode, GraphValue } from './ir';
import { makeNode } from './rewrite';
import { isScalar, type UpdateChain, updateChains } from './update-chains';

/** Tensors of more elements are left alone: for them the work outweighs the call. */
const SMALL = 20_000;
/** Elements of a merged tensor at most, so that a chain of operators finds its data in the cache. */
const LARGEST = 131_072;

/**
 * Updates of many small tensors become a few of larger ones.
 *
 * An optimizer computes the same dozen operators for each parameter, most of them biases and scales of a few hundred
 * elements, where calling an operator costs more than its work. Chains that compute the same function, at the end of
 * the program, are run once over a concatenation. No element's arithmetic changes.
 */
export function mergeUpdates(graph: Graph): void {
  const groups = new Map<string, UpdateChain[]>();
  for (const chain of updateChains(graph)) {
    if (sizeOf(chain.shape) > SMALL) continue;
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

/** Splits a group where its tensors together would grow too large. */
function parts(group: readonly UpdateChain[]): UpdateChain[][] {
  const result: UpdateChain[][] = [];
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
  chains: readonly UpdateChain[],
  outputs: ReadonlySet<GraphValue>,
  replaced: Map<GraphValue, GraphValue>,
): GraphNode[] {
  const [first] = chains as [UpdateChain];
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
