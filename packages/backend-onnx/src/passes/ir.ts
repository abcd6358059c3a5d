import type { TensorData } from '../runtime/session';
import type { Attrs, Op, Value, ValueType } from '../trace/graph';

/** What is known of a leaf when its program is compiled: the value of every element, all of its data, or nothing. */
export type Constant = number | TensorData | undefined;

/** A value of a graph that is being compiled. Unlike a traced `Value` it may be rewired freely. */
export interface GraphValue {
  readonly shape: readonly number[];
  readonly dtype: ValueType;
  node: GraphNode | null;
  /** Position among the program's leaves, for values that are fed. */
  leaf?: number;
  /** The value of every element, where that is a compile-time constant. */
  splat?: number;
  /**
   * The elements, in the order of `shape`, where they are known at compile time: frozen weights, constants of a step.
   * A program that is compiled with them is dropped when they change, so a pass or a lowering may compute with them
   * (a lowering by `c.constant(i)`). Not changed in place: the array is the tensor's own.
   */
  data?: TensorData;
}

export interface GraphNode {
  type: string;
  origin: string;
  inputs: GraphValue[];
  attrs: Attrs;
  outputs: GraphValue[];
}

/** One program: nodes in a topological order and the values that it must give back. */
export interface Graph {
  nodes: GraphNode[];
  outputs: GraphValue[];
}

/** A rewrite of a graph that keeps its meaning. Passes run in the order of `passes/index.ts`. */
export type Pass = (graph: Graph) => void;

/** Copies a trace into a graph. `constants[i]` is what is known of leaf `i`. */
export function graphOf(
  ops: readonly Op[],
  outputs: readonly Value[],
  leaves: readonly Value[],
  constants: readonly Constant[],
): Graph {
  const values = new Map<Value, GraphValue>();
  leaves.forEach((leaf, i) => {
    const constant = constants[i];
    values.set(leaf, {
      shape: leaf.shape,
      dtype: leaf.dtype,
      node: null,
      leaf: i,
      ...(typeof constant === 'number' ? { splat: constant } : constant && { data: constant }),
    });
  });
  const nodes = ops.map((op) => {
    const node: GraphNode = {
      type: op.type,
      origin: op.origin,
      inputs: op.inputs.map((v) => values.get(v)!),
      attrs: op.attrs,
      outputs: [],
    };
    node.outputs = op.outputs.map((v) => {
      const out: GraphValue = { shape: v.shape, dtype: v.dtype, node };
      values.set(v, out);
      return out;
    });
    return node;
  });
  return { nodes, outputs: outputs.map((v) => values.get(v)!) };
}

/** Drops nodes that no output depends on. */
export function removeDeadNodes(graph: Graph): void {
  const live = new Set<GraphNode>();
  const stack = graph.outputs.flatMap((v) => (v.node ? [v.node] : []));
  while (stack.length) {
    const node = stack.pop()!;
    if (live.has(node)) continue;
    live.add(node);
    for (const input of node.inputs) if (input.node) stack.push(input.node);
  }
  graph.nodes = graph.nodes.filter((node) => live.has(node));
}
