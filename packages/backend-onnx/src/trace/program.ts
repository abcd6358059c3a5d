import { flopsOf } from '../explain/flops';
import { type ProgramReport, trafficOf } from '../explain/program-report';
import { lowerGraph } from '../lower';
import { splitModel } from '../onnx/write-model';
import { optimize } from '../passes';
import { type Constant, graphOf, removeDeadNodes } from '../passes/ir';
import type { Runtime, RuntimeTensor, Session, TensorData } from '../runtime/session';
import { planUpdates, type UpdatePlan } from '../updates/plan';
import { type Op, sameShape, type Value, type ValueType } from './graph';
import { Hash } from './hash';
import { threadsFor } from './threads';

/** A compiled trace: feed the leaves, get the outputs. */
export interface Program {
  session: Session;
  /** Leaf positions to feed, with the names of their inputs. */
  feeds: ReadonlyArray<readonly [leaf: number, name: string, dtype: ValueType]>;
  /** Names of the program's outputs; of those that updates compute, no output of the session has it. */
  outputs: readonly string[];
  /** What is left to do after the session, for a step that updates variables in place. */
  updates: (UpdatePlan & { names: readonly string[] }) | undefined;
  report: ProgramReport;
}

/** A trace in canonical form: operations in order, leaves numbered by first use. */
export interface Trace {
  ops: readonly Op[];
  leaves: readonly Value[];
  outputs: readonly Value[];
  /** Equal for traces of equal structure, whatever their leaves hold. */
  key: string;
  /** The program has to do for leaves of any sizes, and knows none of their values. */
  anySize?: boolean;
}

/** Collects the operations that `outputs` depend on and numbers everything. */
export function traceOf(outputs: readonly Value[]): Trace {
  const stamp = newStamp();
  const ops = reachable(outputs, stamp);
  const leaves: Value[] = [];
  hash.reset();
  const add = (value: Value): void => {
    const { op } = value;
    if (!op && value.trace !== stamp) {
      value.trace = stamp;
      value.number = -1 - leaves.length;
      leaves.push(value);
      hash.string(value.dtype);
      hash.ints(value.shape);
    }
    hash.int(op ? op.number + value.index : value.number);
  };
  let next = 0;
  for (const op of ops) {
    hash.int(op.hashA);
    hash.int(op.hashB);
    hash.int(op.inputs.length);
    for (const input of op.inputs) add(input);
    op.number = next;
    next += op.outputs.length;
  }
  hash.int(outputs.length);
  outputs.forEach(add);
  return { ops, leaves, outputs, key: `${ops.length}.${leaves.length}.${hash.key}` };
}

const hash = new Hash();
let stamps = 0;

/** A mark that no operation or value carries yet (`trace`). */
export function newStamp(): number {
  return ++stamps;
}

function reachable(outputs: readonly Value[], stamp: number): Op[] {
  const ops: Op[] = [];
  const visit = ({ op }: Value) => {
    if (!op || op.trace === stamp) return;
    op.trace = stamp;
    ops.push(op);
  };
  outputs.forEach(visit);
  for (let i = 0; i < ops.length; i++) ops[i]!.inputs.forEach(visit);
  return ops.sort((a, b) => a.sequence - b.sequence);
}

/** A trace in words, a line for each operation after one for the leaves: equal where the keys are. */
export function describe({ ops, leaves, outputs }: Trace): string {
  const numbers = new Map<Value, number>(leaves.map((leaf, i) => [leaf, -1 - i]));
  const lines = [leaves.map(({ dtype, shape }) => `${dtype}[${shape}]`).join('')];
  let next = 0;
  for (const { type, attrs, inputs, outputs: made } of ops) {
    for (const output of made) numbers.set(output, next++);
    const types = made.map(({ dtype, shape }) => `${dtype}[${shape}]`).join('');
    lines.push(`${type}${JSON.stringify(attrs)}(${inputs.map((input) => numbers.get(input))})${types}`);
  }
  lines.push(`→${outputs.map((output) => numbers.get(output))}`);
  return lines.join('\n');
}

/** Outputs that only become the next value of a variable, with the leaf that holds its present one. */
export type Assigned = ReadonlyMap<number, number | undefined>;

/** Compiles a trace. `constants[i]` is what is known of leaf `i`. */
export function buildModel(trace: Trace, constants: readonly Constant[], assigned?: Assigned) {
  const graph = graphOf(trace.ops, trace.outputs, trace.leaves, constants);
  const flops = flopsOf(graph.nodes);
  const plan = assigned && planUpdates(graph, assigned);
  if (plan) removeDeadNodes(graph);
  // Passes take the sizes of tensors for granted: a transpose that moves an axis of length 1 is a reshape to them.
  const passes = trace.anySize ? [] : optimize(graph);
  const threads = trace.anySize ? undefined : threadsFor(flops, graph.nodes);
  const lowered = lowerGraph(graph);
  if (trace.anySize)
    for (const port of [...lowered.graph.inputs, ...lowered.graph.outputs]) port.dims = undefined;
  const model = splitModel(lowered.graph);
  const report: ProgramReport = {
    recorded: trace.ops.length,
    optimized: graph.nodes.length,
    onnx: lowered.graph.nodes.length,
    passes,
    flops,
    feeds: trafficOf([...lowered.feeds.keys()].map((leaf) => trace.leaves[leaf]!)),
    outputs: trafficOf(trace.outputs),
    modelBytes: model.external.reduce((sum, { data }) => sum + data.length, model.bytes.length),
  };
  return {
    graph: lowered.graph,
    model,
    threads,
    feeds: [...lowered.feeds].map(([leaf, name]) => [leaf, name, trace.leaves[leaf]!.dtype] as const),
    ...outputsOf(lowered.outputs, trace.outputs.length, plan),
    report,
  };
}

/** The names of a session's outputs, apart from those that are there for the updates. */
function outputsOf(names: readonly string[], count: number, plan: UpdatePlan | undefined) {
  if (!plan) return { outputs: names, updates: undefined };
  const own = names.slice(0, names.length - plan.extras.length);
  const outputs = Array.from({ length: count }, (_, i) =>
    plan.outputs.has(i) ? `update ${i}` : own.shift()!,
  );
  return { outputs, updates: { ...plan, names: names.slice(names.length - plan.extras.length) } };
}

export function feedsOf(
  program: Program,
  leaves: readonly Value[],
  runtime: Runtime,
): Record<string, RuntimeTensor> {
  const feeds: Record<string, RuntimeTensor> = {};
  for (const [leaf, name] of program.feeds) {
    const value = leaves[leaf]!;
    feeds[name] = feedOf(value, value.shape, runtime);
  }
  return feeds;
}

/** What a session takes for a value that is known, under a shape of the same size. Made once. */
export function feedOf(value: Value, shape: readonly number[], runtime: Runtime): RuntimeTensor {
  const { feed } = value;
  if (feed && (feed.dims === shape || sameShape(feed.dims, shape))) return feed;
  value.feed = runtime.tensor(value.dtype, value.data!, shape);
  return value.feed;
}

/** Turns the pending outputs into leaves that hold the results. */
export function settle(
  program: Program,
  outputs: readonly Value[],
  results: Record<string, RuntimeTensor>,
): void {
  outputs.forEach((value, i) => {
    const result = results[program.outputs[i]!]!;
    value.settle(result.data as TensorData);
    value.feed = result;
  });
}
