import { createRequire } from 'node:module';
import type { InferenceSession as PublicSession, Tensor as PublicTensor } from 'onnxruntime-common';
import { openProfileFolder } from '../explain/profile-folder';
import type { ExternalData, Model } from '../onnx/types';
import { RunError } from '../run-error';
import type { Runtime, RuntimeTensor, Session, SessionOptions } from './session';

/**
 * The one place that touches the internals of onnxruntime-node.
 *
 * The public API is asynchronous only, while `tensor.dataSync()` and a training step that reads a value in its middle
 * need the result at once. The native binding underneath is synchronous; it is used where its version is one that was
 * tested and its shape is as expected, else the public API is, and synchronous reads of pending values then throw.
 */
const TESTED = /^1\.(2[0-9]|3[0-9])\./;

interface NativeSession {
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: object): void;
  run(
    feeds: Record<string, RuntimeTensor>,
    fetches: Record<string, RuntimeTensor | null>,
    options: object,
  ): Record<string, RuntimeTensor>;
  readonly outputMetadata: ReadonlyArray<{ name: string }>;
  endProfiling(): void;
  dispose(): void;
}
interface Binding {
  binding: { InferenceSession: new () => NativeSession };
  initOrt(): void;
}
interface PublicApi {
  InferenceSession: { create(model: Uint8Array, options: object): Promise<PublicSession> };
  Tensor: new (type: string, data: unknown, dims: readonly number[]) => PublicTensor;
  listSupportedBackends(): ReadonlyArray<{ name: string }>;
}

export function loadNodeRuntime({ allowInternals = true } = {}): Runtime {
  const require = createRequire(import.meta.url);
  const { InferenceSession, Tensor, listSupportedBackends } = require('onnxruntime-node') as PublicApi;
  const { version } = require('onnxruntime-node/package.json') as { version: string };
  const native = allowInternals && TESTED.test(version) ? loadBinding(require) : undefined;

  const runtime: Runtime = {
    version,
    synchronous: native !== undefined,
    executionProviders: listSupportedBackends().map(({ name }) => name),
    openProfiler: openProfileFolder,
    tensor: (dtype, data, dims) => new Tensor(dtype, data, dims) as unknown as RuntimeTensor,
    async compile(model, options) {
      if (runtime.compileSync) return runtime.compileSync(model, options);
      const session = await InferenceSession.create(model.bytes, ortOptions(options, model.external));
      return {
        run: (feeds) => session.run(feeds as never) as unknown as Promise<Record<string, RuntimeTensor>>,
        endProfiling: () => session.endProfiling(),
        dispose: () => void session.release(),
      };
    },
  };
  if (native) runtime.compileSync = (model, options) => new SynchronousSession(native, model, options);
  return runtime;
}

function loadBinding(require: NodeRequire): Binding | undefined {
  try {
    const found = require('onnxruntime-node/dist/binding.js') as Partial<Binding>;
    const prototype = found.binding?.InferenceSession?.prototype;
    if (typeof found.initOrt !== 'function' || !prototype) return undefined;
    if (!('loadModel' in prototype && 'run' in prototype)) return undefined;
    found.initOrt();
    return found as Binding;
  } catch {
    return undefined;
  }
}

class SynchronousSession implements Session {
  private readonly native: NativeSession;
  private readonly fetches: Record<string, null>;

  constructor({ binding }: Binding, { bytes, external }: Model, options: SessionOptions) {
    this.native = new binding.InferenceSession();
    this.native.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, ortOptions(options, external));
    this.fetches = Object.fromEntries(this.native.outputMetadata.map(({ name }) => [name, null]));
  }

  runSync(
    feeds: Record<string, RuntimeTensor>,
    into?: Record<string, RuntimeTensor>,
  ): Record<string, RuntimeTensor> {
    try {
      return this.native.run(feeds, into ? { ...this.fetches, ...into } : this.fetches, {});
    } catch (error) {
      throw RunError.from(error);
    }
  }

  async run(feeds: Record<string, RuntimeTensor>): Promise<Record<string, RuntimeTensor>> {
    return this.runSync(feeds);
  }

  endProfiling(): void {
    this.native.endProfiling();
  }

  dispose(): void {
    this.native.dispose();
  }
}

function ortOptions(
  { threads, executionProviders = ['cpu'], profile }: SessionOptions,
  external: readonly ExternalData[],
): object {
  return {
    ...(external.length === 0 ? {} : { externalData: [...external] }),
    executionProviders: [...executionProviders],
    graphOptimizationLevel: 'all',
    // A pattern holds room for all of a run's tensors at once, for each program: half as much memory again, no faster.
    enableMemPattern: false,
    executionMode: 'sequential',
    // What fails is thrown, so it need not be printed too.
    logSeverityLevel: 4,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
  };
}
