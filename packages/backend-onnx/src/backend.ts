import {
  type BackendValues,
  DataStorage,
  type DataType,
  engine,
  KernelBackend,
  type Tensor,
  type TensorInfo,
  Variable,
} from '@tensorflow/tfjs-core';
import { checkAgainst, checkOptions, type OnnxBackendOptions } from './options';
import type { Runtime, RuntimeTensor, TensorData } from './runtime/session';
import { sameShape, sizeOf, Value, type ValueType } from './trace/graph';
import { feedsOf, type Program, settle, traceOf } from './trace/program';
import { ProgramCache } from './trace/program-cache';

type DataId = object;

interface Entry {
  dtype: DataType;
  refCount: number;
  /** Numeric and boolean tensors. */
  value?: Value;
  /** Strings, which never enter a graph. */
  strings?: BackendValues;
  complex?: { real: TensorInfo; imag: TensorInfo };
}

/**
 * A tfjs backend that records. Kernels add operations to a graph; when a value is read, everything that is pending and
 * still alive is compiled as one ONNX model, cached by structure, and run.
 */
export class OnnxBackend extends KernelBackend {
  private readonly data: DataStorage<Entry>;
  private readonly live = new Set<Entry>();
  private pendingSince = 0;
  readonly programs: ProgramCache;
  private readonly maxPending: number;
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
    this.data = new DataStorage(this, engine());
    this.maxPending = options.maxPending ?? 20_000;
    this.programs = new ProgramCache(
      runtime,
      () => options,
      options.cacheSize ?? 256,
      options.onModel,
    );
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
    const id = {};
    this.store(id, values, shape, dtype, 1);
    return id;
  }

  override move(id: DataId, values: BackendValues, shape: number[], dtype: DataType, refCount: number): void {
    this.store(id, values, shape, dtype, refCount);
  }

  private store(
    id: DataId,
    values: BackendValues | null,
    shape: number[],
    dtype: DataType,
    refCount: number,
  ): void {
    const entry: Entry = { dtype, refCount };
    if (dtype === 'string') entry.strings = values ?? [];
    else if (dtype !== 'complex64') {
      entry.value = Value.leaf(
        hostCopy(values, sizeOf(shape), dtype as ValueType),
        shape,
        dtype as ValueType,
      );
    }
    this.add(id, entry);
  }

  private add(id: DataId, entry: Entry): void {
    this.data.set(id, entry);
    this.live.add(entry);
  }

  /** Wraps a recorded value as a tensor. */
  tensorInfo(value: Value): TensorInfo {
    const dataId = {};
    this.add(dataId, { dtype: value.dtype, refCount: 1, value });
    if (value.op && ++this.pendingSince >= this.maxPending && this.runtime.synchronous) this.flushSync();
    return { dataId, shape: [...value.shape], dtype: value.dtype };
  }

  complexInfo(real: TensorInfo, imag: TensorInfo): TensorInfo {
    const dataId = {};
    this.incRef(real.dataId);
    this.incRef(imag.dataId);
    this.add(dataId, { dtype: 'complex64', refCount: 1, complex: { real, imag } });
    return { dataId, shape: real.shape, dtype: 'complex64' };
  }

  /** The same data under another shape: no operation is recorded until somebody computes with it. */
  share(info: TensorInfo, shape: readonly number[] = info.shape): TensorInfo {
    this.incRef(info.dataId);
    return { dataId: info.dataId, shape: [...shape], dtype: info.dtype };
  }

  /** The value behind a tensor, in the tensor's shape. */
  traced(info: TensorInfo): Value {
    const { value } = this.data.get(info.dataId);
    if (!value) throw new Error(`a ${info.dtype} tensor cannot enter a graph`);
    return sameShape(value.shape, info.shape) ? value : value.reshaped(info.shape);
  }

  /** The value behind a tensor or variable, which no other tensor shares afterwards. */
  exclusive(tensor: Tensor): Value {
    const entry = this.data.get(tensor.dataId);
    const value = entry.value!;
    if (entry.refCount === 1 || !(tensor instanceof Variable)) return value;
    const copy = this.adopt({ type: value.dtype, data: value.data!, dims: value.shape });
    tensor.assign(copy as never);
    copy.dispose();
    return this.data.get(tensor.dataId).value!;
  }

  /** Data of a tensor that has been computed, or is now. */
  settled(tensor: Tensor): TensorData {
    const value = this.data.get(tensor.dataId).value!;
    if (!value.data) this.flushSync();
    return value.data!;
  }

  /** A tensor around what a session gave. The caller owns it. */
  adopt({ type, data, dims }: RuntimeTensor): Tensor {
    const dtype = type as ValueType;
    const value = new Value([...dims], dtype);
    value.data = data;
    const dataId = {};
    this.add(dataId, { dtype, refCount: 1, value });
    return engine().makeTensorFromTensorInfo({ dataId, shape: [...dims], dtype });
  }

  /** Values that are on the host already, for checks that must not cost a computation. */
  peek(id: DataId): ArrayLike<number> | null {
    const data = this.data.get(id).value?.data;
    return data && !(data instanceof BigInt64Array) ? data : null;
  }

  liveValues(): Set<Value> {
    const values = new Set<Value>();
    for (const { value } of this.live) if (value) values.add(value);
    return values;
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
    if (!value.data) this.flushSync();
    return value.data as BackendValues;
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
    if (!value.data) await this.flush();
    return value.data as BackendValues;
  }

  /** Runs everything that is pending and alive. */
  flushSync(): void {
    const trace = this.pendingTrace();
    if (!trace) return;
    if (!this.runtime.synchronous) {
      throw new Error(
        'this ONNX Runtime runs asynchronously only: read with `await tensor.data()`, not `dataSync()`',
      );
    }
    const program = this.programs.get(trace) ?? this.programs.compileSync(trace);
    settle(program, trace.outputs, program.session.runSync!(feedsOf(program, trace.leaves, this.runtime)));
  }

  /** As `flushSync`, without blocking where the runtime can. */
  async flush(): Promise<void> {
    if (this.runtime.synchronous) return this.flushSync();
    const trace = this.pendingTrace();
    if (!trace) return;
    const program: Program = this.programs.get(trace) ?? (await this.programs.compile(trace));
    settle(program, trace.outputs, await program.session.run(feedsOf(program, trace.leaves, this.runtime)));
  }

  private pendingTrace() {
    if (this.watching)
      this.flushedBy ??= this.reader
        ? `${this.reader} has no ONNX form here and reads its inputs`
        : 'it reads a tensor';
    this.pendingSince = 0;
    const pending = new Set<Value>();
    for (const { value } of this.live) if (value?.op) pending.add(value);
    return pending.size ? traceOf([...pending]) : undefined;
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
    this.live.delete(entry);
    return true;
  }

  override refCount(id: DataId): number {
    return this.data.has(id) ? this.data.get(id).refCount : 0;
  }

  override incRef(id: DataId): void {
    this.data.get(id).refCount++;
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

function hostCopy(values: BackendValues | null, size: number, dtype: ValueType): TensorData {
  if (dtype === 'float32')
    return values ? Float32Array.from(values as ArrayLike<number>) : new Float32Array(size);
  if (dtype === 'int32') return values ? Int32Array.from(values as ArrayLike<number>) : new Int32Array(size);
  return values ? Uint8Array.from(values as ArrayLike<number>) : new Uint8Array(size);
}

function interleave(real: BackendValues, imag: BackendValues): Float32Array {
  const out = new Float32Array(2 * real.length);
  for (let i = 0; i < real.length; i++) {
    out[2 * i] = real[i] as number;
    out[2 * i + 1] = imag[i] as number;
  }
  return out;
}
