import { sizeOf } from '../trace/graph';
import type { Graph, GraphNode, GraphValue } from './ir';
import { makeNode, usersOf } from './rewrite';

/** Elements that stay together, below which copying them one group at a time is slower than the runtime's transpose. */
const SHORTEST = 16;
/** Rows from which on the runtime's gather, which runs on several threads, is worth its index. */
const FEWEST_ROWS = 512;
/** Rows at most, which bounds the index that the model carries. */
const MOST_ROWS = 2 ** 18;

/** A tensor as rows of one length, each a row of a source. */
interface Rows {
  sources: GraphValue[];
  /** For each row its number, counted through the sources. */
  index: Int32Array;
}

/**
 * Splits, transposes and concatenations that follow one another, and that keep groups of neighbours together, become
 * one gather of these groups: as between `[batch, time, 3 · heads · size]` and the heads of attention.
 *
 * A chain is worth it that takes two passes over the data or more; a single move stays what it is.
 */
export function gatherRows(graph: Graph): void {
  const users = usersOf(graph);
  const isMove = (node: GraphNode | null | undefined): node is GraphNode =>
    !!node && MOVES.has(node.type) && node.outputs[0]!.dtype !== 'bool';
  const passedOn = (value: GraphValue): boolean =>
    (users.get(value) ?? []).every((user) => isMove(user) && (!isView(user) || passedOn(user.outputs[0]!)));
  graph.nodes = graph.nodes.flatMap((node) => {
    // The end of a chain: what it gives is read by something that is no move.
    const out = node.outputs[0]!;
    if (!isMove(node) || isView(node) || node.type === 'Split' || passedOn(out)) return [node];
    return gathered(node) ?? [node];
  });
}

const MOVES = new Set(['Reshape', 'Transpose', 'Split', 'Slice', 'Concat']);

function isView(node: GraphNode): boolean {
  return node.type === 'Reshape';
}

function gathered(node: GraphNode): GraphNode[] | undefined {
  const out = node.outputs[0]!;
  const { moves, length } = chainAbove(node);
  if (moves < 2 || length < SHORTEST) return undefined;
  const count = sizeOf(out.shape) / length;
  if (count < FEWEST_ROWS || count > MOST_ROWS) return undefined;
  const { sources, index } = rowsOf(out, length);
  const { dtype } = out;
  const { origin } = node;
  const nodes = sources.map((source) => {
    const shape = [sizeOf(source.shape) / length, length];
    return makeNode('Reshape', origin, [source], { shape }, shape, dtype);
  });
  let [table] = nodes.map((n) => n.outputs[0]!) as [GraphValue];
  if (nodes.length > 1) {
    const parts = nodes.map((n) => n.outputs[0]!);
    const shape = [parts.reduce((sum, p) => sum + p.shape[0]!, 0), length];
    const concat = makeNode('Concat', origin, parts, { axis: 0 }, shape, dtype);
    nodes.push(concat);
    [table] = concat.outputs as [GraphValue];
  }
  const rows: GraphValue = { shape: [count], dtype: 'int32', node: null, data: index };
  const gather = makeNode('Gather', origin, [table, rows], { axis: 0 }, [count, length], dtype);
  // The node itself becomes the view of the gathered rows, so its readers need not be told.
  Object.assign(node, { type: 'Reshape', attrs: { shape: out.shape }, inputs: [gather.outputs[0]!] });
  return [...nodes, gather, node];
}

/** How many moves a chain has, and how many elements stay together in all of them. */
function chainAbove(end: GraphNode): { moves: number; length: number } {
  let length = 0;
  let moves = 0;
  const seen = new Set<GraphNode>();
  const visit = (value: GraphValue) => {
    const { node } = value;
    if (!isChained(node)) {
      length = gcd(length, sizeOf(value.shape));
      return;
    }
    length = gcd(length, runOf(node, value));
    if (seen.has(node)) return;
    seen.add(node);
    if (!isView(node)) moves++;
    node.inputs.forEach(visit);
  };
  visit(end.outputs[0]!);
  return { moves, length };
}

/** Whether the chain goes on above this node. A transpose that moves the last axis ends it. */
function isChained(node: GraphNode | null): node is GraphNode {
  if (!node || !MOVES.has(node.type)) return false;
  if (node.type !== 'Transpose') return true;
  const perm = node.attrs.perm as readonly number[];
  return perm.at(-1) === perm.length - 1;
}

/** Elements that a move leaves side by side. */
function runOf({ type, attrs, inputs }: GraphNode, value: GraphValue): number {
  if (type === 'Reshape') return sizeOf(value.shape);
  if (type === 'Transpose') return value.shape.at(-1)!;
  const source = inputs[0]!.shape;
  if (type === 'Slice') {
    const begin = attrs.begin as readonly number[];
    const axis = source.findLastIndex((d, i) => d !== value.shape[i]);
    const inner = sizeOf(source.slice(axis + 1));
    return axis < 0 ? sizeOf(source) : gcd(inner * begin[axis]!, inner * value.shape[axis]!);
  }
  const axis = attrs.axis as number;
  const inner = sizeOf(value.shape.slice(axis + 1));
  const sizes = type === 'Split' ? (attrs.sizes as readonly number[]) : inputs.map((v) => v.shape[axis]!);
  return sizes.reduce((a, size) => gcd(a, size * inner), 0);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** The rows of a value, followed up to where the chain begins. */
function rowsOf(value: GraphValue, length: number): Rows {
  const { node } = value;
  if (!isChained(node)) {
    const count = sizeOf(value.shape) / length;
    return { sources: [value], index: Int32Array.from({ length: count }, (_, i) => i) };
  }
  if (node.type === 'Concat') return concatenated(node, length);
  const { sources, index } = rowsOf(node.inputs[0]!, length);
  return { sources, index: moved(node, value, index, length) };
}

/** The rows of several values, one value after the other along an axis. Sources that they share count once. */
function concatenated({ inputs, attrs }: GraphNode, length: number): Rows {
  const axis = attrs.axis as number;
  const sources: GraphValue[] = [];
  const starts: number[] = [];
  let total = 0;
  const parts = inputs.map((input) => {
    const rows = rowsOf(input, length);
    const shifts: number[] = [];
    let first = 0;
    for (const source of rows.sources) {
      const count = sizeOf(source.shape) / length;
      let at = sources.indexOf(source);
      if (at < 0) {
        at = sources.push(source) - 1;
        starts.push(total);
        total += count;
      }
      for (let i = 0; i < count; i++) shifts.push(starts[at]! - first);
      first += count;
    }
    return rows.index.map((row) => row + shifts[row]!);
  });
  const outer = sizeOf(inputs[0]!.shape.slice(0, axis));
  const index = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (let i = 0; i < outer; i++) {
    for (const part of parts) {
      const run = part.length / outer;
      index.set(part.subarray(i * run, (i + 1) * run), at);
      at += run;
    }
  }
  return { sources, index };
}

/** The numbers of rows after one move of them. */
function moved(node: GraphNode, value: GraphValue, index: Int32Array, length: number): Int32Array {
  const { type, attrs, inputs } = node;
  if (type === 'Reshape') return index;
  const source = inputs[0]!.shape;
  const result = new Int32Array(sizeOf(value.shape) / length);
  if (type === 'Transpose') {
    const perm = attrs.perm as readonly number[];
    const strides = elementStrides([...source.slice(0, -1), source.at(-1)! / length]);
    walk([...value.shape.slice(0, -1), value.shape.at(-1)! / length], (at, n) => {
      result[n] = index[at.reduce((sum, k, i) => sum + k * strides[perm[i]!]!, 0)]!;
    });
    return result;
  }
  // Split and Slice: a box of the source. Runs of whole rows inside of it lie side by side.
  const begin = type === 'Slice' ? (attrs.begin as readonly number[]) : splitStart(node, value);
  const strides = elementStrides(source);
  const inside = elementStrides(value.shape);
  for (let row = 0; row < result.length; row++) {
    let rest = row * length;
    let at = 0;
    for (let i = 0; i < source.length; i++) {
      at += (begin[i]! + Math.floor(rest / inside[i]!)) * strides[i]!;
      rest %= inside[i]!;
    }
    result[row] = index[at / length]!;
  }
  return result;
}

function splitStart({ attrs, outputs, inputs }: GraphNode, value: GraphValue): number[] {
  const sizes = attrs.sizes as readonly number[];
  const start = sizes.slice(0, outputs.indexOf(value)).reduce((a, b) => a + b, 0);
  return inputs[0]!.shape.map((_, i) => (i === attrs.axis ? start : 0));
}

function elementStrides(shape: readonly number[]): number[] {
  return shape.map((_, i) => sizeOf(shape.slice(i + 1)));
}

/** Visits every index tuple of a shape in order. */
function walk(shape: readonly number[], visit: (at: readonly number[], n: number) => void): void {
  const at = shape.map(() => 0);
  const size = sizeOf(shape);
  for (let n = 0; n < size; n++) {
    visit(at, n);
    for (let i = shape.length - 1; i >= 0; i--) {
      if (++at[i]! < shape[i]!) break;
      at[i] = 0;
    }
  }
}
