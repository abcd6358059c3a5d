/**
 * The C functions of ONNX Runtime for WebAssembly that a session needs, as Emscripten gives them. They are inner parts
 * of onnxruntime-web: its public API is asynchronous only, though the functions underneath return at once.
 */
export interface WasmModule {
  HEAPU8: Uint8Array;
  getValue(pointer: number, type: 'i32' | '*'): number;
  setValue(pointer: number, value: number, type: 'i32' | '*'): void;
  UTF8ToString(pointer: number): string;
  stackSave(): number;
  stackAlloc(bytes: number): number;
  stackRestore(stack: number): void;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  mountExternalData(path: string, data: Uint8Array): void;
  unmountExternalData(): void;
  _OrtInit(threads: number, logLevel: number): number;
  _OrtGetLastError(code: number, message: number): number;
  _OrtCreateSessionOptions(
    optimization: number,
    arena: boolean,
    memoryPattern: boolean,
    executionMode: number,
    profiling: boolean,
    profilePrefix: number,
    logId: number,
    logSeverity: number,
    logVerbosity: number,
    optimizedModelPath: number,
  ): number;
  _OrtReleaseSessionOptions(options: number): number;
  _OrtCreateSession(model: number, bytes: number, options: number): number;
  _OrtReleaseSession(session: number): number;
  _OrtGetInputOutputCount(session: number, inputs: number, outputs: number): number;
  _OrtGetInputOutputMetadata(session: number, index: number, name: number, metadata: number): number;
  _OrtCreateTensor(
    type: number,
    data: number,
    bytes: number,
    dims: number,
    rank: number,
    location: number,
  ): number;
  _OrtGetTensorData(tensor: number, type: number, data: number, dims: number, rank: number): number;
  _OrtReleaseTensor(tensor: number): number;
  _OrtRun(
    session: number,
    inputNames: number,
    inputs: number,
    inputCount: number,
    outputNames: number,
    outputCount: number,
    outputs: number,
    options: number,
  ): number;
  _OrtFree(pointer: number): number;
}

const FUNCTIONS = [
  'getValue',
  'setValue',
  'UTF8ToString',
  'stackSave',
  'stackAlloc',
  'stackRestore',
  '_malloc',
  '_free',
  'mountExternalData',
  'unmountExternalData',
  '_OrtInit',
  '_OrtGetLastError',
  '_OrtCreateSessionOptions',
  '_OrtReleaseSessionOptions',
  '_OrtCreateSession',
  '_OrtReleaseSession',
  '_OrtGetInputOutputCount',
  '_OrtGetInputOutputMetadata',
  '_OrtCreateTensor',
  '_OrtGetTensorData',
  '_OrtReleaseTensor',
  '_OrtRun',
  '_OrtFree',
] as const satisfies ReadonlyArray<keyof WasmModule>;

/** Whether a module looks as the version that this was written for. */
export function isWasmModule(module: object): module is WasmModule {
  const functions = module as Partial<Record<string, unknown>>;
  return functions.PTR_SIZE === 4 && FUNCTIONS.every((name) => typeof functions[name] === 'function');
}

/** Throws what ONNX Runtime says of its last error. */
export function fail(wasm: WasmModule, what: string): never {
  const stack = wasm.stackSave();
  try {
    const out = wasm.stackAlloc(8);
    wasm._OrtGetLastError(out, out + 4);
    const message = wasm.getValue(out + 4, '*');
    throw new Error(message ? wasm.UTF8ToString(message) : what);
  } finally {
    wasm.stackRestore(stack);
  }
}
