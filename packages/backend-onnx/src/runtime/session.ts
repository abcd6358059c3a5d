import type { Model, OnnxDType } from '../onnx/types';

export type TensorData = Float32Array | Int32Array | Uint8Array | BigInt64Array | Float64Array;

/** A tensor as a session takes and gives it. */
export interface RuntimeTensor {
  readonly type: string;
  readonly data: TensorData;
  readonly dims: readonly number[];
}

/** A compiled graph. `runSync` is absent where the runtime can only run asynchronously. */
export interface Session {
  /** @param into outputs that are written into the given tensors, which may be those of inputs, instead of new ones. */
  runSync?(
    feeds: Record<string, RuntimeTensor>,
    into?: Record<string, RuntimeTensor>,
  ): Record<string, RuntimeTensor>;
  run(feeds: Record<string, RuntimeTensor>): Promise<Record<string, RuntimeTensor>>;
  endProfiling?(): void;
  dispose(): void;
}

export interface SessionOptions {
  /** Threads inside one operator; default: one per core that the runtime sees. */
  threads?: number;
  /** ONNX Runtime execution providers, first choice first. Default `['cpu']`. */
  executionProviders?: readonly string[];
  /** Prefix of a profile file that the runtime writes. */
  profile?: string;
}

/** Where the runtime's profiles go and come back from. */
export interface Profiler {
  /** A value of `SessionOptions.profile` for the next session. */
  next(): string;
  /** What the session of that option has written, once its profiling has ended. */
  read(prefix: string): string | undefined;
  close(): void;
}

/** What the backend needs of ONNX Runtime. */
export interface Runtime {
  readonly version: string;
  readonly synchronous: boolean;
  /** What `SessionOptions.executionProviders` may name. */
  readonly executionProviders: readonly string[];
  /** Absent where the runtime writes no profiles. */
  openProfiler?(): Profiler;
  tensor(dtype: OnnxDType, data: TensorData, dims: readonly number[]): RuntimeTensor;
  compileSync?(model: Model, options: SessionOptions): Session;
  /** Does not hold on to the model's arrays once the session is there. */
  compile(model: Model, options: SessionOptions): Promise<Session>;
}
