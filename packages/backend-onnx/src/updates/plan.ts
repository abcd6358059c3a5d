import type { Graph, GraphValue } from '../passes/ir';
import { isScalar, type UpdateChain, updateChains } from '../passes/update-chains';
import { sizeOf } from '../trace/graph';
import type { KernelSource, Operand } from './kernel';

/** Bytes that the updates of one program may work on, which WebAssembly bounds; beyond, they stay in the graph. */
const MOST_BYTES = 3 * 2 ** 30;

/** Where the data of an update comes from: a leaf of the program, or what the session computes for it. */
export type UpdateSource = { from: 'leaf'; leaf: number } | { from: 'session'; extra: number };

/** Chains that compute the same function of the same scalars: one kernel runs over all of them at once. */
export interface UpdateGroup {
  kernel: KernelSource;
  scalars: readonly UpdateSource[];
  members: ReadonlyArray<{
    size: number;
    tensors: readonly UpdateSource[];
    /** For each result the program's output that it is. */
    results: readonly number[];
  }>;
  /** For each result the tensor that it takes the place of, where all members agree on that. */
  inPlace: ReadonlyArray<number | undefined>;
}

export interface UpdatePlan {
  groups: UpdateGroup[];
  /** Outputs of the program that updates compute. */
  outputs: ReadonlySet<number>;
  /** Values that the session computes for them. */
  extras: GraphValue[];
}

/**
 * Takes the updates of variables out of a program that a step runs again and again: Adam's dozen operators, twelve
 * passes over every parameter, become one outside of the session, where the variables stay. What the session must give
 * for them follows the program's other outputs.
 *
 * @param assigned outputs that only become the next value of a variable, with the leaf that holds its present one.
 */
export function planUpdates(
  graph: Graph,
  assigned: ReadonlyMap<number, number | undefined>,
): UpdatePlan | undefined {
  const positions = new Map(graph.outputs.map((value, i) => [value, i]));
  const fits = ({ nodes }: UpdateChain) =>
    nodes.every(({ outputs: [out] }) => !positions.has(out!) || assigned.has(positions.get(out!)!));
  const groups = new Map<string, UpdateChain[]>();
  for (const chain of updateChains(graph).filter(fits)) {
    const group = groups.get(chain.signature);
    if (group) group.push(chain);
    else groups.set(chain.signature, [chain]);
  }
  if (groups.size === 0) return undefined;

  const extras: GraphValue[] = [];
  const sourceOf = (value: GraphValue): UpdateSource => {
    if (value.leaf !== undefined) return { from: 'leaf', leaf: value.leaf };
    if (!extras.includes(value)) extras.push(value);
    return { from: 'session', extra: extras.indexOf(value) };
  };
  const planned = [...groups.values()].map((chains) => groupOf(chains, positions, assigned, sourceOf));
  if (planned.reduce((sum, group) => sum + bytesOf(group), 0) > MOST_BYTES) return undefined;
  const outputs = new Set(planned.flatMap(({ members }) => members.flatMap(({ results }) => results)));
  const left = [...graph.outputs.filter((_, i) => !outputs.has(i)), ...extras];
  // A session computes something.
  if (left.length === 0) return undefined;
  graph.outputs = left;
  return { groups: planned, outputs, extras };
}

function bytesOf({ kernel, members, inPlace }: UpdateGroup): number {
  const tensors = kernel.tensors + inPlace.filter((place) => place === undefined).length;
  return 4 * tensors * members.reduce((sum, { size }) => sum + size, 0);
}

function groupOf(
  chains: readonly UpdateChain[],
  positions: ReadonlyMap<GraphValue, number>,
  assigned: ReadonlyMap<number, number | undefined>,
  sourceOf: (value: GraphValue) => UpdateSource,
): UpdateGroup {
  const [first] = chains as [UpdateChain];
  const members = chains.map(({ nodes, external, shape }) => ({
    size: sizeOf(shape),
    tensors: external.map(sourceOf),
    results: nodes.flatMap(({ outputs: [out] }) => (positions.has(out!) ? [positions.get(out!)!] : [])),
  }));
  const inPlace = members[0]!.results.map((_, r) => {
    const places = members.map(({ tensors, results }) => {
      const leaf = assigned.get(results[r]!);
      return leaf === undefined ? -1 : tensors.findIndex((t) => t.from === 'leaf' && t.leaf === leaf);
    });
    const [place] = places as [number];
    return place >= 0 && places.every((p) => p === place) ? place : undefined;
  });
  return { kernel: kernelOf(first, positions), scalars: first.scalars.map(sourceOf), members, inPlace };
}

function kernelOf(chain: UpdateChain, positions: ReadonlyMap<GraphValue, number>): KernelSource {
  const { nodes, external, scalars } = chain;
  const inner = new Map(nodes.map((node, i) => [node.outputs[0]!, i]));
  const operand = (value: GraphValue): Operand => {
    const index = inner.get(value);
    if (index !== undefined) return { kind: 'step', index };
    if (value.splat !== undefined) return { kind: 'number', value: value.splat };
    if (isScalar(value)) return { kind: 'scalar', index: scalars.indexOf(value) };
    return { kind: 'tensor', index: external.indexOf(value) };
  };
  let results = 0;
  const steps = nodes.map(({ type, attrs, inputs, outputs: [out] }) => ({
    type,
    attrs,
    operands: inputs.map(operand),
    ...(positions.has(out!) ? { result: results++ } : {}),
  }));
  return { tensors: external.length, scalars: scalars.length, results, steps };
}
