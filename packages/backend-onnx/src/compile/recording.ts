import { engine, type Tensor, tidy, type Variable } from '@tensorflow/tfjs-core';
import type { OnnxBackend } from '../backend';
import type { Constant } from '../passes/ir';
import type { TensorData } from '../runtime/session';
import { splatOf, type Value } from '../trace/graph';
import {
  type Assigned,
  describe,
  feedsOf,
  type Program,
  settle,
  type Trace,
  traceOf,
} from '../trace/program';
import type { UpdateMemory } from '../updates/memory';
import { Updates } from '../updates/updates';
import { type Structure, structureOf, withTraceableKeys } from './arguments';
import type { ConstantVariables } from './constant-variables';
import { type Answers, type HostEvent, recordHostEvents } from './host-events';
import { Rollback } from './rollback';

/** Where a replay finds the data of a leaf. */
export type Source =
  | { from: 'argument'; index: number }
  | { from: 'variable'; variable: Variable }
  | { from: 'host'; event: number }
  | { from: 'constant'; value: Value };

/** What becomes of an output of the program. */
export type Target =
  | { to: 'result'; shape: readonly number[] }
  | { to: 'variable'; variable: Variable }
  /** The step writes rows of it only, which go into the variable's own data. */
  | { to: 'rows'; variable: Variable }
  /** Computed after the session, where the variable's data is. */
  | { to: 'update'; variable: Variable };

/** One recorded run of a step, compiled. */
export interface Recording {
  events: HostEvent[];
  roots: ReturnType<typeof withTraceableKeys>['roots'];
  key: string;
  /** The trace in words, for `CompileError`; empty where nothing is checked. */
  text: string;
  program: Program;
  /** One per leaf of the trace. */
  sources: readonly Source[];
  shapes: ReadonlyArray<readonly number[]>;
  /** One per output: the results, then the variables that the step assigns. */
  targets: readonly Target[];
  /** For each output, the first one that is the same value: they share their data, as where nothing is compiled. */
  same: readonly number[];
  /** Variables that get the data of another one, which the step leaves as it is: nothing to compute. */
  copies: ReadonlyMap<Variable, Variable>;
  structure: Structure;
  /** Computes the outputs that are updates. */
  updates: Updates | undefined;
  /** Variables that the step read, as they were. */
  variables: ReadonlyArray<{ variable: Variable; trainable: boolean; baked?: Baked }>;
}

/** Data that was compiled in, and its version. */
export interface Baked {
  data: TensorData;
  version: number;
}

export type Recorded<R> =
  | { result: R; impure: string }
  | { result: R; impure?: undefined; trace?: Trace; sources?: Source[]; recording?: Recording };

/** What a recording needs beside the step and its arguments. */
export interface RecordingOptions {
  tensors: readonly Tensor[];
  answers: Answers;
  constant: ConstantVariables;
  /** Where other recordings of the step have their variables. */
  memoryOf: (layout: string) => UpdateMemory | undefined;
  /** Later calls will be compared with this one. */
  checked: boolean;
  /** Otherwise it only traces, for a comparison: variables are as before, and the result is gone. */
  compiles: boolean;
}

/** Runs a step while recording it, then compiles and runs what was recorded. */
export function recordStep<A extends unknown[], R>(
  onnx: OnnxBackend,
  step: (...args: A) => R,
  args: A,
  options: RecordingOptions,
  again = false,
): Recorded<R> {
  const { tensors, answers, constant, memoryOf, checked, compiles } = options;
  onnx.flushSync();
  const variables = Object.values(engine().state.registeredVariables);
  const sources = new Map<Value, Source>();
  const values = new Map(variables.map((v) => [v, onnx.exclusive(v)]));
  for (const [variable, value] of values) sources.set(value, { from: 'variable', variable });
  tensors.forEach((t, index) => void sources.set(onnx.exclusive(t), { from: 'argument', index }));
  const before = new Map(variables.map((v) => [v, v.dataId]));
  const alive = onnx.liveValues();

  const traceable = withTraceableKeys(args);
  const onInput = (tensor: Tensor, event: number) =>
    void sources.set(onnx.exclusive(tensor), { from: 'host', event });
  const rollback = new Rollback(onnx, values);
  const watch = onnx.watchFlushes();
  let recorded: ReturnType<typeof recordHostEvents<R>>;
  let flushed: string | undefined;
  try {
    recorded = rollback.watch(() => recordHostEvents(answers, onInput, () => plain(step, traceable.args)));
  } finally {
    flushed = watch.stop();
  }
  const { result, events, given, readsKey } = recorded;
  const flushedBy = flushed ?? (readsKey ? 'it reads the words of its key outside of fromHost' : undefined);
  const results: Tensor[] = [];
  const structure = structureOf(result, results);
  const present = Object.values(engine().state.registeredVariables);
  // A step that makes its state (moments, averages) does so once.
  if (present.some((v) => !before.has(v))) {
    const known = new Set([...results, ...present].map((t) => onnx.recordedAs(t)));
    const pure = !flushedBy && [...onnx.liveValues()].every((v) => alive.has(v) || known.has(v));
    if (!again && pure && rollback.covers(present)) {
      rollback.undo(results);
      return recordStep(onnx, step, args, { ...options, answers: given }, true);
    }
    // It is recorded from the next call on.
    onnx.programs.once(() => onnx.flushSync());
    return { result };
  }
  if (flushedBy) return { result, impure: flushedBy };

  const changed = variables.filter((v) => !v.isDisposed && v.dataId !== before.get(v));
  const copies = copiesAmong(changed, sources, onnx);
  const assigned = changed.filter((v) => !copies.has(v));
  const outputs = [...results, ...assigned].map((t) => onnx.recordedAs(t));
  const escaped = [...onnx.liveValues()].find((v) => v.op && !alive.has(v) && !outputs.includes(v));
  if (escaped)
    return { result, impure: `a tensor of ${escaped.op!.origin} outlives the step without being returned` };

  if (outputs.length === 0) return { result };
  const trace = traceOf(outputs);
  const found = trace.leaves.map(
    (leaf): Source => sources.get(leaf.base) ?? { from: 'constant', value: leaf },
  );
  if (!compiles) {
    rollback.undo(results);
    return { result, trace, sources: found };
  }
  const written = new Set(assigned);
  const read = found.flatMap((source) => (source.from === 'variable' ? [source.variable] : []));
  const constantVariables = constant.among(read.filter((v) => !written.has(v)));
  const constants = found.map((source, i): Constant => {
    const { splat, data } = trace.leaves[i]!;
    if (source.from === 'constant') return splat ?? data!;
    const known = source.from === 'variable' && constantVariables.has(source.variable);
    return known ? (splatOf(data!) ?? data!) : undefined;
  });
  const same = outputs.map((value) => outputs.indexOf(value));
  // While the outputs still know their operations.
  const targets = targetsOf(trace, found, results, assigned, same);
  const program = onnx.programs.compileTrace(trace, constants, updatable(targets, found, same, trace));
  const variableOf = (output: number) => (targets[output] as { variable: Variable }).variable.id;
  const updates =
    program.updates &&
    new Updates(program.updates, program.updates.names, onnx.runtime, { variableOf, memoryOf });
  settle(program, outputs, firstRun(onnx, program, updates, trace));
  targets.forEach((target, i) => {
    if (target.to !== 'variable' || !updates?.has(i)) return;
    targets[i] = { to: 'update', variable: target.variable };
    // It lives where the updates work: replays find it there.
    outputs[i]!.mutable = true;
  });
  const recording: Recording = {
    events,
    roots: traceable.roots,
    key: trace.key,
    text: checked ? describe(trace) : '',
    program,
    sources: found,
    shapes: trace.leaves.map((l) => l.shape),
    targets,
    same,
    copies,
    structure,
    updates,
    variables: variablesOf(onnx, found, constants),
  };
  return { result, trace, recording };
}

export function plain<A extends unknown[], R>(step: (...args: A) => R, args: A): R {
  return tidy(() => step(...args) as never) as R;
}

/** Of the variables that a step assigns, those that get what another one holds, before and after. */
function copiesAmong(
  changed: readonly Variable[],
  sources: ReadonlyMap<Value, Source>,
  onnx: OnnxBackend,
): ReadonlyMap<Variable, Variable> {
  const copies = new Map<Variable, Variable>();
  for (const variable of changed) {
    const source = sources.get(onnx.recordedAs(variable).base);
    if (source?.from !== 'variable' || changed.includes(source.variable)) continue;
    copies.set(variable, source.variable);
  }
  return copies;
}

/** Variables whose next value nothing else is, with the leaf that holds the present one. */
function updatable(
  targets: readonly Target[],
  sources: readonly Source[],
  same: readonly number[],
  { leaves: values }: Trace,
): Assigned {
  const leaves = new Map<Variable, number>();
  sources.forEach((source, i) => {
    // Not a view of it under another shape.
    if (source.from === 'variable' && values[i] === values[i]!.base) leaves.set(source.variable, i);
  });
  return new Map(
    targets.flatMap((target, i) => {
      const alone = same[i] === i && same.indexOf(i, i + 1) < 0;
      return target.to === 'variable' && alone ? [[i, leaves.get(target.variable)] as const] : [];
    }),
  );
}

/** What a program gives for the values that it was recorded with. */
function firstRun(onnx: OnnxBackend, program: Program, updates: Updates | undefined, trace: Trace) {
  const dataOf = (leaf: number) => trace.leaves[leaf]!.data!;
  // What a variable held is overwritten where other recordings put it; tensors may share it.
  for (const { base } of trace.leaves) if (updates?.memory.holds(base.data)) base.detach();
  updates?.load(dataOf, true);
  const feeds = feedsOf(program, trace.leaves, onnx.runtime);
  const values = { ...program.session.runSync!(feeds, updates?.into) };
  updates?.run(values, dataOf);
  trace.outputs.forEach(({ shape }, i) => {
    if (updates?.has(i)) values[program.outputs[i]!] = onnx.runtime.tensor('float32', updates.home(i), shape);
  });
  return values;
}

function variablesOf(onnx: OnnxBackend, sources: readonly Source[], constants: readonly Constant[]) {
  const found = new Map<Variable, Recording['variables'][number]>();
  sources.forEach((source, i) => {
    if (source.from !== 'variable') return;
    const { variable } = source;
    const { data, version } = onnx.recordedAs(variable);
    const known = constants[i] === undefined ? {} : { baked: { data: data!, version } };
    found.set(variable, { variable, trainable: variable.trainable, ...known });
  });
  return [...found.values()];
}

function targetsOf(
  trace: Trace,
  sources: readonly Source[],
  results: readonly Tensor[],
  assigned: readonly Variable[],
  same: readonly number[],
): Target[] {
  return trace.outputs.map((output, i): Target => {
    const variable = assigned[i - results.length];
    if (!variable) return { to: 'result', shape: results[i]!.shape };
    const alone = same[i] === i && same.indexOf(i, i + 1) < 0;
    return { to: alone && writesRowsOf(variable, output, trace, sources) ? 'rows' : 'variable', variable };
  });
}

/** Whether a variable's new value is its old one with other rows, while nothing else reads the old one. */
function writesRowsOf(
  variable: Variable,
  { op }: Value,
  { ops, leaves, outputs }: Trace,
  sources: readonly Source[],
): boolean {
  if (op?.type !== 'UpdateRows') return false;
  const own = leaves.filter((_, i) => {
    const source = sources[i]!;
    return source.from === 'variable' && source.variable === variable;
  });
  const [old] = own;
  if (!old || own.length > 1 || op.inputs[0] !== old || outputs.includes(old)) return false;
  return ops.flatMap(({ inputs }) => inputs).filter((input) => input === old).length === 1;
}
