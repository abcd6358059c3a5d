import { flopsOf } from '../explain/flops';
import { type ProgramReport, trafficOf } from '../explain/program-report';
import { lowerGraph } from '../lower';
import { splitModel } from '../onnx/write-model';
import { optimize } from '../passes';
import { type Constant, graphOf } from '../passes/ir';
import type { Runtime, RuntimeTensor, Session, TensorData } from '../runtime/session';
import type { Op, Value, ValueType } from './graph';

/** A compiled trace: feed the leaves, get the outputs. */
export interface Program {
  session: Session;
  /** Leaf positions to feed, with the names of their inputs. */
  feeds: ReadonlyArray<readonly [leaf: number, name: string, dtype: ValueType]>;
  outputs: readonly string[];
  report: ProgramReport;
}

/** A trace in canonical form: operations in order, leaves numbered by first use. */
export interface Trace {
  ops: readonly Op[];
  leaves: readonly Value[];
  outputs: readonly Value[];
  /** Equal for traces of equal structure, whatever their leaves hold. */
  key: string;
}

/** Collects the operations that `outputs` depend on and numbers everything. */
export function traceOf(outputs: readonly Value[]): Trace {
  const ops = reachable(outputs);
  const numbers = new Map<Value, number>();
  const leaves: Value[] = [];
  let key = '';
  let leafKey = '';
  const numberOf = (value: Value): number => {
    let n = numbers.get(value);
    if (n === undefined) {
      n = -1 - leaves.length;
      numbers.set(value, n);
      leaves.push(value);
      leafKey += `${value.dtype}[${value.shape}]`;
    }
    return n;
  };
  let next = 0;
  for (const op of ops) {
    key += `\n${op.type}${attrsKey(op.attrs)}(`;
    for (const input of op.inputs) key += `${numberOf(input)},`;
    key += ')';
    for (const output of op.outputs) {
      numbers.set(output, next++);
      key += `${output.dtype}[${output.shape}]`;
    }
  }
  key += '\n→';
  for (const output of outputs) key += `${numberOf(output)},`;
  return { ops, leaves, outputs, key: `${leafKey}${key}` };
}

function reachable(outputs: readonly Value[]): Op[] {
  const seen = new Set<Op>();
  const stack: Op[] = [];
  const visit = ({ op }: Value) => {
    if (op && !seen.has(op)) {
      seen.add(op);
      stack.push(op);
    }
  };
  outputs.forEach(visit);
  while (stack.length) stack.pop()!.inputs.forEach(visit);
  return [...seen].sort((a, b) => a.sequence - b.sequence);
}

const attrKeys = new WeakMap<object, string>();

function attrsKey(attrs: Op['attrs']): string {
  let key = attrKeys.get(attrs);
  if (key === undefined) {
    key = JSON.stringify(attrs);
    attrKeys.set(attrs, key);
  }
  return key;
}

/** Compiles a trace. `constants[i]` is what is known of leaf `i`. */
export function buildModel(trace: Trace, constants: readonly Constant[]) {
  const graph = graphOf(trace.ops, trace.outputs, trace.leaves, constants);
  const flops = flopsOf(graph.nodes);
  const passes = optimize(graph);
  const lowered = lowerGraph(graph);
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
    feeds: [...lowered.feeds].map(([leaf, name]) => [leaf, name, trace.leaves[leaf]!.dtype] as const),
    outputs: lowered.outputs,
    report,
  };
}

export function feedsOf(
  program: Program,
  leaves: readonly Value[],
  runtime: Runtime,
): Record<string, RuntimeTensor> {
  const feeds: Record<string, RuntimeTensor> = {};
  for (const [leaf, name] of program.feeds) {
    const { data, dtype, shape } = leaves[leaf]!;
    feeds[name] = runtime.tensor(dtype, data!, shape);
  }
  return feeds;
}

/** Turns the pending outputs into leaves that hold the results. */
export function settle(
  program: Program,
  outputs: readonly Value[],
  results: Record<string, RuntimeTensor>,
): void {
  outputs.forEach((value, i) => {
    value.data = results[program.outputs[i]!]!.data as TensorData;
    value.op = null;
  });
}
