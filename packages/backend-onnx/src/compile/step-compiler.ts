import type { CompileOptions, HostValues, StepCompiler } from '@poiesis/core';
import { clone, engine, type Tensor, tidy, type Variable } from '@tensorflow/tfjs-core';
import type { OnnxBackend } from '../backend';
import type { Value } from '../trace/graph';
import { feedsOf, type Program, settle, type Trace, traceOf } from '../trace/program';
import { rebindAll, rebuild, type Structure, structureOf, takeApart, withTraceableKeys } from './arguments';
import { CompileError } from './compile-error';
import { type Answers, askHost, type HostEvent, recordHostEvents } from './host-events';

type Keys = ReturnType<typeof withTraceableKeys>['roots'];

/** Where a replay finds the data of a leaf. */
type Source =
  | { from: 'argument'; index: number }
  | { from: 'variable'; variable: Variable }
  | { from: 'host'; event: number }
  | { from: 'constant'; value: Value };

/** One recorded run of a step, compiled. */
interface Recording {
  events: HostEvent[];
  roots: Keys;
  key: string;
  program: Program;
  /** One per leaf of the trace. */
  sources: Source[];
  shapes: ReadonlyArray<readonly number[]>;
  /** Variables that the step assigns, in the order of their outputs, which follow the results'. */
  assigned: Variable[];
  results: number;
  /** For each output, the first one that is the same value: they share their data, as where nothing is compiled. */
  same: readonly number[];
  structure: Structure;
}

/** Recordings of one step without a replay in between, after which recording is given up. */
const MOST_RECORDINGS = 16;

/** Compiles steps for one backend: record once, then feed the session directly. */
export function stepCompiler(backend: () => OnnxBackend): StepCompiler {
  return <A extends unknown[], R>(step: (...args: A) => R, options: Required<CompileOptions>) => {
    const recordings = new Map<string, Recording[]>();
    let impure: string | undefined;
    let calls = 0;
    /** Recordings since the last replay. */
    let unused = 0;

    const run = (...args: A): R => {
      const onnx = backend();
      if (impure !== undefined || !onnx.runtime.synchronous) return plain(step, args);
      const { tensors, keys, signature } = takeApart(args);
      // Under `explain()` a step is recorded anew, for the programs that belong to the watch.
      let known = onnx.programs.watch ? [] : recordings.get(signature);
      if (!known) {
        known = [];
        recordings.set(signature, known);
      }
      for (const { roots } of known) rebindAll(roots, keys);
      const { found, answers } = known.length ? askHost(known) : { answers: [] };
      const checked = found && options.check > 0 && ++calls % options.check === 0;
      if (found && !checked) {
        unused = 0;
        return replay(onnx, found, tensors, answers) as R;
      }

      const recorded = recordStep(onnx, step, args, tensors, answers, found?.key);
      if (recorded.impure !== undefined) {
        impure = recorded.impure;
        console.warn(`compile(${options.name}): not recorded, runs as it is: ${impure}`);
      } else if (checked) {
        if (recorded.trace) compare(options.name, found, recorded.trace, recorded.sources!);
      } else if (recorded.recording) {
        known.push(recorded.recording);
        if (recordings.size > MOST_RECORDINGS && ++unused > MOST_RECORDINGS) {
          impure = `its arguments are of another kind at nearly every call, lately ${short(signature)}`;
          console.warn(`compile(${options.name}): recorded too often, runs as it is from now on: ${impure}`);
        }
      }
      return recorded.result;
    };
    return run;
  };
}

function short(text: string): string {
  return text.length > 100 ? `${text.slice(0, 97)}…` : text;
}

function plain<A extends unknown[], R>(step: (...args: A) => R, args: A): R {
  return tidy(() => step(...args) as never) as R;
}

type Recorded<R> =
  | { result: R; impure: string }
  | { result: R; impure?: undefined; trace?: Trace; sources?: Source[]; recording?: Recording };

/** Runs a step while recording it, then compiles and runs what was recorded. `expected` skips compiling an equal trace. */
function recordStep<A extends unknown[], R>(
  onnx: OnnxBackend,
  step: (...args: A) => R,
  args: A,
  tensors: readonly Tensor[],
  answers: Answers,
  expected: string | undefined,
): Recorded<R> {
  onnx.flushSync();
  const variables = Object.values(engine().state.registeredVariables);
  const sources = new Map<Value, Source>();
  for (const variable of variables) sources.set(onnx.exclusive(variable), { from: 'variable', variable });
  tensors.forEach((t, index) => void sources.set(onnx.exclusive(t), { from: 'argument', index }));
  const before = new Map(variables.map((v) => [v, v.dataId]));
  const alive = onnx.liveValues();

  const traceable = withTraceableKeys(args);
  const onInput = (tensor: Tensor, event: number) =>
    void sources.set(onnx.exclusive(tensor), { from: 'host', event });
  const watch = onnx.watchFlushes();
  const { result, events, readsKey } = recordHostEvents(answers, onInput, () => plain(step, traceable.args));
  const flushedBy =
    watch.stop() ?? (readsKey ? 'it reads the words of its key outside of fromHost' : undefined);
  // A step that makes its state (moments, averages) does so once; it is recorded from the next call on.
  if (Object.values(engine().state.registeredVariables).some((v) => !before.has(v))) {
    onnx.flushSync();
    return { result };
  }
  if (flushedBy) return { result, impure: flushedBy };

  const results: Tensor[] = [];
  const structure = structureOf(result, results);
  const assigned = variables.filter((v) => !v.isDisposed && v.dataId !== before.get(v));
  const outputs = [...results, ...assigned].map((t) => onnx.traced(t));
  const escaped = [...onnx.liveValues()].find((v) => v.op && !alive.has(v) && !outputs.includes(v));
  if (escaped)
    return { result, impure: `a tensor of ${escaped.op!.origin} outlives the step without being returned` };

  if (outputs.length === 0) return { result };
  const trace = traceOf(outputs);
  const found = trace.leaves.map(
    (leaf): Source => sources.get(leaf.base) ?? { from: 'constant', value: leaf },
  );
  if (expected !== undefined) {
    onnx.flushSync();
    return { result, trace, sources: found };
  }
  const constants = found.map((source) => (source.from === 'constant' ? source.value.splat : undefined));
  const program = onnx.programs.compileTrace(trace, constants);
  const values = program.session.runSync!(feedsOf(program, trace.leaves, onnx.runtime));
  settle(program, outputs, values);
  const recording: Recording = {
    events,
    roots: traceable.roots,
    key: trace.key,
    program,
    sources: found,
    shapes: trace.leaves.map((l) => l.shape),
    assigned,
    results: results.length,
    same: outputs.map((value) => outputs.indexOf(value)),
    structure,
  };
  return { result, trace, recording };
}

/** Throws where a new trace is not what was recorded: another operation, or another constant. */
function compare(name: string, recording: Recording, trace: Trace, sources: readonly Source[]): void {
  if (trace.key !== recording.key) throw new CompileError(name, recording.key, trace.key);
  recording.sources.forEach((before, i) => {
    const now = sources[i]!;
    if (before.from !== 'constant' || now.from !== 'constant') return;
    const [a, b] = [before.value.data!, now.value.data!];
    const at = a.findIndex((x: number | bigint, k: number) => !Object.is(x, b[k]));
    if (at < 0) return;
    const reader = trace.ops.find((op) => op.inputs.includes(trace.leaves[i]!));
    const of = `a constant of ${reader?.origin ?? 'its result'}`;
    throw new CompileError(name, `\n${of}: ${a[at]}`, `\n${of}: ${b[at]}`);
  });
}

function replay(
  onnx: OnnxBackend,
  recording: Recording,
  tensors: readonly Tensor[],
  answers: Answers,
): unknown {
  const { program, sources, assigned, results, same, structure } = recording;
  const data = (leaf: number) => {
    const source = sources[leaf]!;
    switch (source.from) {
      case 'argument':
        return onnx.settled(tensors[source.index]!);
      case 'variable':
        return onnx.settled(source.variable);
      case 'host':
        return answers[source.event] as HostValues;
      case 'constant':
        return source.value.data!;
    }
  };
  const values = program.session.runSync!(feed(onnx, program, data, recording.shapes));
  const outputs: Tensor[] = [];
  for (const [i, name] of program.outputs.entries()) {
    outputs.push(same[i] === i ? onnx.adopt(values[name]!) : clone(outputs[same[i]!]!));
  }
  assigned.forEach((variable, i) => {
    const value = outputs[results + i]!;
    variable.assign(value as never);
    value.dispose();
  });
  return rebuild(structure, outputs.slice(0, results));
}

function feed(
  onnx: OnnxBackend,
  program: Program,
  data: (leaf: number) => HostValues | NonNullable<Value['data']>,
  shapes: ReadonlyArray<readonly number[]>,
) {
  const feeds: Parameters<Program['session']['run']>[0] = {};
  for (const [leaf, name, dtype] of program.feeds) {
    feeds[name] = onnx.runtime.tensor(dtype, data(leaf), shapes[leaf]!);
  }
  return feeds;
}
