import {
  type BackendValues,
  type DataType,
  engine,
  KernelBackend,
  type Tensor,
  type TensorInfo,
  Variable,
} from '@tensorflow/tfjs-core';
import { Entry, entryOf, interleave, read, settledValue } from './entry';
import { checkAgainst, checkOptions, type OnnxBackendOptions } from './options';
import { Pacing } from './pacing';
import { RunError } from './run-error';
import { AsynchronousReadError } from './runtime/asynchronous-read-error';
import type { Runtime, RuntimeTensor } from './runtime/session';
import { Storage } from './storage';
import { type Op, sameShape, type Value } from './trace/graph';
import { pieceOf } from './trace/pieces';
import { feedOf, feedsOf, newStamp, type Program, settle, type Trace, traceOf } from './trace/program';
import { ProgramCache } from './trace/program-cache';
import { ShapeChurn } from './trace/shape-churn';

type DataId = object;

/**
 * A tfjs backend that records. Kernels add operations to a graph; when a value is read, everything that is pending and
 * still alive is compiled as one ONNX model, cached by structure, and run.
 */
export class OnnxBackend extends KernelBackend {
  private readonly data: Storage<Entry>;
  /** Those whose values may be pending. */
  private readonly pending = new Set<Entry>();
  private readonly pacing: Pacing;
  private readonly churn = new ShapeChurn();
  /** Changes in place so far. */
  private changes = 0;
  private queue: Promise<void> = Promise.resolve();
  readonly programs: ProgramCache;
  private watching = false;
  private flushedBy: string | undefined;
  /** The fallback kernel that is reading, for messages. */
  reader: string | undefined;
  /** Kernels that ran on tfjs's cpu implementation, with how often. */
  readonly fallbacks = new Map<string, number>();

  constructor(
    readonly runtime: Runtime,
    private readonly options: OnnxBackendOptions = {},
  ) {
    super();
    checkOptions(options);
    checkAgainst(runtime, options);
    this.data = new Storage(this);
    this.pacing = new Pacing(options.maxPending ?? 10_000);
    this.programs = new ProgramCache(runtime, () => options, options.cacheSize ?? 256, options.onModel);
  }

  /** Threads that were asked for; undefined leaves the choice to ONNX Runtime. */
  get threads(): number | undefined {
    return this.options.threads;
  }

  /** Execution providers that were asked for, first choice first. */
  get executionProviders(): readonly string[] {
    return this.options.executionProviders ?? ['cpu'];
  }

  /** Copies `values`, so that changing the array afterwards does not change the tensor. */
  override write(values: BackendValues | null, shape: number[], dtype: DataType): DataId {
    return this.data.add(entryOf(values, shape, dtype, 1));
  }

  override move(id: DataId, values: BackendValues, shape: number[], dtype: DataType, refCount: number): void {
    this.data.set(id, entryOf(values, shape, dtype, refCount));
  }

  /** Wraps a recorded value as a tensor. */
  tensorInfo(value: Value): TensorInfo {
    const entry = new Entry(value.dtype, 1, value);
    const dataId = this.data.add(entry);
    if (value.op) {
      this.pending.add(entry);
      const cut = this.pacing.recorded(value.op);
      if (cut !== undefined) this.runEarly(cut);
    }
    return { dataId, shape: [...value.shape], dtype: value.dtype };
  }

  complexInfo(real: TensorInfo, imag: TensorInfo): TensorInfo {
    // Entries of its own: tfjs counts on a tensor's data being gone when the tensor is disposed.
    const own = (info: TensorInfo) => this.tensorInfo(this.traced(info));
    const entry = new Entry('complex64', 1);
    entry.complex = { real: own(real), imag: own(imag) };
    return { dataId: this.data.add(entry), shape: real.shape, dtype: 'complex64' };
  }

  /** The same data under another shape: no operation is recorded until somebody computes with it. */
  share(info: TensorInfo, shape: readonly number[] = info.shape): TensorInfo {
    this.retain(info.dataId);
    return { dataId: info.dataId, shape: [...shape], dtype: info.dtype };
  }

  /** The value behind a tensor, in the tensor's shape. */
  traced(info: TensorInfo): Value {
    const { value } = this.data.get(info.dataId);
    if (!value) throw new Error(`a ${info.dtype} tensor cannot enter a graph`);
    if (value.failure) throw value.failure;
    return sameShape(value.shape, info.shape) ? value : value.reshaped(info.shape);
  }

  /** The value behind a tensor or variable, which no other tensor shares afterwards. */
  exclusive(tensor: Tensor): Value {
    const entry = this.data.get(tensor.dataId);
    const value = entry.value!;
    if (entry.refCount === 1 || !(tensor instanceof Variable)) return value;
    // The others stay with what they have, where no step changes it.
    if (value.mutable) value.detach();
    const copy = this.adopt(this.runtime.tensor(value.dtype, value.data!, value.shape), tensor.shape);
    tensor.assign(copy as never);
    copy.dispose();
    return this.data.get(tensor.dataId).value!;
  }

  /** The value behind a tensor, under the shape in which it was made. */
  recordedAs(tensor: Tensor): Value {
    return this.data.get(tensor.dataId).value!;
  }

  /** What a session takes for a tensor, under a shape of the same size. Computes the tensor where it is pending. */
  feedOf(tensor: Tensor, shape: readonly number[]): RuntimeTensor {
    const value = this.data.get(tensor.dataId).value!;
    if (!value.data) this.compute(value);
    return feedOf(value, shape, this.runtime);
  }

  /** Gives a variable what a session has computed for it. */
  replace(variable: Variable, result: RuntimeTensor): void {
    const entry = this.data.get(variable.dataId);
    if (entry.refCount === 1) {
      entry.value = settledValue(result);
      return;
    }
    const tensor = this.adopt(result, variable.shape);
    variable.assign(tensor as never);
    tensor.dispose();
  }

  /**
   * What a session takes for a variable that it changes in place: its data, which no other tensor has, and of which
   * readers get copies from now on.
   */
  mutableFeed(variable: Variable, shape: readonly number[]): RuntimeTensor {
    this.exclusive(variable);
    if (this.pending.size > 0) this.flushSync();
    const value = this.data.get(variable.dataId).value!;
    if (!value.mutable) {
      value.data = value.data!.slice();
      value.feed = undefined;
      value.splat = undefined;
      value.mutable = true;
    }
    value.version = ++this.changes;
    return this.feedOf(variable, shape);
  }

  /** Moves a variable's data to where a compiled step is about to change it in place. Others that share it get a copy. */
  place(variable: Variable, home: Float32Array): void {
    const { value, refCount } = this.data.get(variable.dataId);
    if (value!.data !== home || refCount !== 1 || value!.hasViews) {
      if (!value!.data) this.compute(value!);
      value!.detach();
      const own = this.exclusive(variable);
      home.set(own.data as Float32Array);
      own.data = home;
      own.feed = undefined;
      own.splat = undefined;
      own.mutable = true;
    }
    this.recordedAs(variable).version = ++this.changes;
  }

  /** Gives a variable a value that it, or another tensor, had before. */
  restore(variable: Variable, value: Value): void {
    const { dtype } = value;
    const entry = new Entry(dtype, 1, value);
    if (value.op) this.pending.add(entry);
    const dataId = this.data.add(entry);
    const tensor = engine().makeTensorFromTensorInfo({ dataId, shape: [...variable.shape], dtype });
    variable.assign(tensor as never);
    tensor.dispose();
  }

  /** A tensor around what a session gave. The caller owns it. */
  adopt(result: RuntimeTensor, shape: readonly number[] = result.dims): Tensor {
    const value = settledValue(result);
    const { dtype } = value;
    const dataId = this.data.add(new Entry(dtype, 1, value));
    return engine().makeTensorFromTensorInfo({ dataId, shape: [...shape], dtype });
  }

  /**
   * Values that are on the host already, for checks that must not cost a computation. core's ops call it, where a
   * backend has it.
   */
  peek(id: DataId): ArrayLike<number> | null {
    const data = this.data.get(id).value?.data;
    return data && !(data instanceof BigInt64Array) ? data : null;
  }

  /** Pending values of tensors that are alive. */
  liveValues(): Set<Value> {
    const values = new Set<Value>();
    for (const { value } of this.pending) if (value?.op) values.add(value);
    return values;
  }

  /** A step is being recorded: what its arguments and variables hold now must not get into it. */
  get recording(): boolean {
    return this.watching;
  }

  /** Notices whether pending operations are run before `stop`, which a step that is being recorded must not cause. */
  watchFlushes(): { stop(): string | undefined } {
    this.flushedBy = undefined;
    this.watching = true;
    return {
      stop: () => {
        this.watching = false;
        return this.flushedBy;
      },
    };
  }

  partsOf(info: TensorInfo): { real: TensorInfo; imag: TensorInfo } {
    const { complex } = this.data.get(info.dataId);
    if (!complex) throw new Error('not a complex tensor');
    return complex;
  }

  override readSync(id: DataId): BackendValues {
    const entry = this.data.get(id);
    if (entry.complex)
      return interleave(this.readSync(entry.complex.real.dataId), this.readSync(entry.complex.imag.dataId));
    if (entry.strings) return entry.strings;
    const value = entry.value!;
    if (!value.data) this.compute(value);
    return read(value);
  }

  override async read(id: DataId): Promise<BackendValues> {
    const entry = this.data.get(id);
    if (entry.complex)
      return interleave(
        await this.read(entry.complex.real.dataId),
        await this.read(entry.complex.imag.dataId),
      );
    if (entry.strings) return entry.strings;
    const value = entry.value!;
    if (!value.data && this.runtime.synchronous) this.compute(value);
    if (value.op) await this.flush();
    if (value.failure) throw value.failure;
    return read(value);
  }

  /** Runs everything that is pending and alive. */
  flushSync(): void {
    const trace = this.pendingTrace(Number.POSITIVE_INFINITY);
    if (trace) this.run(trace);
  }

  /** As `flushSync`, without blocking where the runtime can. */
  flush(): Promise<void> {
    if (this.runtime.synchronous) {
      this.flushSync();
      return Promise.resolve();
    }
    const run = this.queue.then(() => this.runPending());
    this.queue = run.catch(() => {});
    return run;
  }

  private async runPending(): Promise<void> {
    const trace = this.pendingTrace(Number.POSITIVE_INFINITY);
    if (!trace) return;
    try {
      const program: Program = this.programs.get(trace) ?? (await this.programs.compile(trace));
      settle(program, trace.outputs, await program.session.run(feedsOf(program, trace.leaves, this.runtime)));
    } catch (error) {
      throw this.failed(trace, error);
    }
  }

  /** Runs what a value depends on: the updates of variables that came before as a program of their own. */
  private compute(value: Value): void {
    const { update } = this.pacing;
    if (update !== undefined && !this.watching) this.runBefore(update);
    if (value.op) this.flushSync();
    if (value.failure) throw value.failure;
  }

  /** Runs without being asked for a value. What goes wrong is said to those who need the values. */
  private runEarly(cut: number): void {
    if (this.watching || !this.runtime.synchronous) return;
    try {
      this.runBefore(cut);
    } catch {}
  }

  private runBefore(cut: number): void {
    const trace = this.pendingTrace(cut);
    if (trace) this.run(trace);
  }

  private run(trace: Trace): void {
    if (!this.runtime.synchronous) {
      throw new AsynchronousReadError(this.runtime.version, this.reader);
    }
    try {
      const known = this.programs.get(trace);
      if (known) this.runProgram(known, trace);
      else if (trace.ops.length > 1 && this.churn.isChurning(trace)) this.runPieces(trace);
      else this.runProgram(this.programs.compileSync(trace), trace);
    } catch (error) {
      throw this.failed(trace, error);
    }
  }

  private runProgram(program: Program, { leaves, outputs }: Trace): void {
    settle(program, outputs, program.session.runSync!(feedsOf(program, leaves, this.runtime)));
  }

  /** Runs each operation as a program, most of which others share. */
  private runPieces({ ops }: Trace): void {
    for (const op of ops) {
      if (op.type === 'Reshape') {
        op.outputs[0]!.settle(op.inputs[0]!.data!);
        continue;
      }
      const piece = pieceOf(op);
      this.runProgram(this.programs.get(piece) ?? this.programs.compileSync(piece), piece);
    }
  }

  /** Gives up on the pending values that depend on what failed, so that others can still be computed. */
  private failed(trace: Trace, error: unknown): RunError {
    const failure = RunError.from(error);
    const { operation } = failure;
    const culprits = new Set<Op>(
      operation === undefined ? trace.ops : trace.ops.filter(({ origin }) => origin === operation),
    );
    const failing = new Set<Op>();
    const pending = [...this.liveValues()];
    for (const op of traceOf(pending).ops) {
      if (culprits.has(op) || op.inputs.some((input) => input.op && failing.has(input.op))) failing.add(op);
    }
    for (const value of pending) if (failing.has(value.op!)) value.fail(failure);
    return failure;
  }

  /** What is pending of before `cut`: values of tensors that are alive, or that what came after depends on. */
  private pendingTrace(cut: number): Trace | undefined {
    if (this.watching)
      this.flushedBy ??= this.reader
        ? `${this.reader} has no ONNX form here and reads its inputs`
        : 'it reads a tensor';
    const stamp = newStamp();
    const outputs: Value[] = [];
    const later: Op[] = [];
    const visit = (value: Value) => {
      const { op } = value;
      if (!op) return;
      if (op.sequence >= cut) {
        if (op.trace === stamp) return;
        op.trace = stamp;
        later.push(op);
      } else if (value.trace !== stamp) {
        value.trace = stamp;
        outputs.push(value);
      }
    };
    for (const entry of this.pending) {
      if (entry.value?.op) visit(entry.value);
      else this.pending.delete(entry);
    }
    for (let i = 0; i < later.length; i++) later[i]!.inputs.forEach(visit);
    this.pacing.ran(cut);
    if (outputs.length === 0) return undefined;
    return traceOf(outputs.sort((a, b) => a.op!.sequence - b.op!.sequence || a.index - b.index));
  }

  override disposeData(id: DataId, force = false): boolean {
    if (!this.data.has(id)) return true;
    const entry = this.data.get(id);
    entry.refCount--;
    if (!force && entry.refCount > 0) return false;
    if (entry.complex) {
      this.disposeData(entry.complex.real.dataId);
      this.disposeData(entry.complex.imag.dataId);
    }
    this.data.delete(id);
    this.pending.delete(entry);
    // A constant that a variable began with is not worth a program.
    const op = entry.assigned && entry.value?.op;
    if (op && op.type !== 'Expand' && this.pacing.update !== undefined) this.runEarly(this.pacing.update);
    return true;
  }

  override refCount(id: DataId): number {
    return this.data.has(id) ? this.data.get(id).refCount : 0;
  }

  /** tfjs calls it for variables only, when they are made or assigned. */
  override incRef(id: DataId): void {
    const entry = this.retain(id);
    entry.assigned = this.pacing.assigned();
    // A variable's next value is another. Compiled in once and fed from then on, a bias of zeros would make the bits of
    // a run depend on what ran before it.
    if (entry.value) entry.value.splat = undefined;
  }

  private retain(id: DataId): Entry {
    const entry = this.data.get(id);
    entry.refCount++;
    return entry;
  }

  override numDataIds(): number {
    return this.data.numDataIds();
  }

  override memory() {
    return { unreliable: true, reasons: ['pending operations hold tensors that have been disposed'] };
  }

  override timerAvailable(): boolean {
    return true;
  }

  override async time(f: () => void) {
    const start = performance.now();
    f();
    await this.flush();
    return { kernelMs: performance.now() - start };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {
    this.programs.dispose();
  }
}
