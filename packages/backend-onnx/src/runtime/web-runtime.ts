/// <reference path="./onnxruntime-web.d.ts" />
import { GraphBuilder } from '../onnx/graph-builder';
import { writeModel } from '../onnx/write-model';
import type { Runtime, SessionOptions } from './session';
import { isWasmModule, type WasmModule } from './wasm-module';
import { WasmSession } from './wasm-session';
import { loadWebApiRuntime } from './web-api-runtime';

export interface WebRuntimeOptions {
  /** Threads inside an operator. More than one needs a page that is cross-origin isolated. */
  threads?: number;
  /** Address of the folder that serves onnxruntime-web's `ort-wasm-simd-threaded.{mjs,wasm}`. Default: as bundled. */
  runtimePath?: string;
}

class OtherInterface extends Error {}

export interface WasmRuntime extends Runtime {
  readonly threads: number;
}

/** Two names of the same. */
const WASM: readonly string[] = ['cpu', 'wasm'];
const VERSION = '1.30';
const ERRORS = 3;

/** The runtime that the options ask for: WebAssembly, or with WebGPU what runs asynchronously. */
export async function loadWebRuntime(options: WebRuntimeOptions & SessionOptions = {}): Promise<Runtime> {
  const providers = 'gpu' in (globalThis.navigator ?? {}) ? [...WASM, 'webgpu'] : WASM;
  const { executionProviders: wanted = WASM } = options;
  if (wanted.some((name) => !WASM.includes(name))) return loadWebApiRuntime(options, providers);
  try {
    return { ...(await loadWasmRuntime(options)), executionProviders: providers };
  } catch (error) {
    if (!(error instanceof OtherInterface)) throw error;
    return loadWebApiRuntime(options, providers);
  }
}

/** Loaded once a page: the module holds the threads. */
let loading: Promise<WasmRuntime> | undefined;

/** The runtime on onnxruntime-web's WebAssembly, which computes at once, as the one in Node does. */
export function loadWasmRuntime(options: WebRuntimeOptions = {}): Promise<WasmRuntime> {
  loading ??= load(options).catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

/** Threads that a page can have: shared memory is for cross-origin isolated ones. */
export function availableThreads(): number {
  const { crossOriginIsolated, navigator } = globalThis as {
    crossOriginIsolated?: boolean;
    navigator?: { hardwareConcurrency?: number };
  };
  return crossOriginIsolated ? Math.max(1, Math.min(8, navigator?.hardwareConcurrency ?? 1)) : 1;
}

async function load({ threads, runtimePath }: WebRuntimeOptions): Promise<WasmRuntime> {
  const count = Math.min(threads ?? Number.POSITIVE_INFINITY, availableThreads());
  const module = await instantiate(count, runtimePath);
  if (module._OrtInit(count, ERRORS) !== 0) throw new Error('ONNX Runtime does not start');
  checkWorks(module);
  return {
    version: VERSION,
    synchronous: true,
    executionProviders: WASM,
    threads: count,
    tensor: (type, data, dims) => ({ type, data, dims }),
    compileSync: (model) => new WasmSession(module, model),
    compile: async (model) => new WasmSession(module, model),
  };
}

/** A module of its own in any bundle: each thread loads the file that it is in. It is small; the rest comes later. */
export async function loadFactory(): Promise<(config: object) => Promise<object>> {
  return (await import('onnxruntime-web/ort-wasm-simd-threaded.mjs')).default;
}

async function instantiate(numThreads: number, runtimePath: string | undefined): Promise<WasmModule> {
  const folder = runtimePath === undefined || runtimePath.endsWith('/') ? runtimePath : `${runtimePath}/`;
  const factory =
    folder === undefined
      ? await loadFactory()
      : ((await import(/* @vite-ignore */ /* webpackIgnore: true */ `${folder}ort-wasm-simd-threaded.mjs`))
          .default as Awaited<ReturnType<typeof loadFactory>>);
  const module = await factory({
    numThreads,
    ...(folder !== undefined && { locateFile: (file: string) => `${folder}${file}` }),
  });
  if (!isWasmModule(module)) throw new OtherInterface('onnxruntime-web is of another version inside');
  return module;
}

/** Runs a small program: of inner parts, only this shows that they still do what they did. */
function checkWorks(module: WasmModule): void {
  const g = new GraphBuilder();
  g.inputs.push({ name: 'x', dtype: 'float32', dims: [3] });
  const y = g.node('Relu', ['x']);
  g.outputs.push({ name: y, dtype: 'float32', dims: [3] });
  const session = new WasmSession(module, { bytes: writeModel(g), external: [] });
  const x = { type: 'float32', data: Float32Array.of(-1, 0, 2), dims: [3] };
  const result = session.runSync({ x })[y]?.data.join();
  session.dispose();
  if (result !== '0,0,2')
    throw new OtherInterface(`onnxruntime-web computes relu([-1, 0, 2]) as [${result}]`);
}
