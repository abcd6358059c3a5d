import type { Model } from '../onnx/types';
import { ONNX_TYPE, type OnnxDType } from '../onnx/types';
import type { RuntimeTensor, Session, TensorData } from './session';
import { fail, type WasmModule } from './wasm-module';

const POINTER = 4;
/** `ORT_ENABLE_ALL`, sequential execution, warnings and worse are not logged. */
const OPTIMIZE_ALL = 99;
const SEQUENTIAL = 0;
const LOG_ERRORS = 3;
/** `OrtMemTypeDefault`'s number in this API: data that is in the module's own memory. */
const ON_CPU = 1;

const ARRAYS: Record<OnnxDType, new (buffer: ArrayBufferLike, offset: number, length: number) => TensorData> =
  {
    float32: Float32Array,
    float64: Float64Array,
    int32: Int32Array,
    int64: BigInt64Array,
    uint8: Uint8Array,
    bool: Uint8Array,
  };
const DTYPES = new Map<number, OnnxDType>(
  Object.entries(ONNX_TYPE).map(([name, n]) => [n, name as OnnxDType]),
);

/** A model in the memory of the WebAssembly module. Feeds and outputs are copied in and out. */
export class WasmSession implements Session {
  private readonly handle: number;
  /** Pointers to the names, by name, in the model's order. */
  private readonly inputs: Map<string, number>;
  private readonly outputs: Map<string, number>;

  constructor(
    private readonly wasm: WasmModule,
    { bytes, external }: Model,
  ) {
    const options = wasm._OrtCreateSessionOptions(
      OPTIMIZE_ALL,
      true,
      true,
      SEQUENTIAL,
      false,
      0,
      0,
      LOG_ERRORS,
      0,
      0,
    );
    if (!options) fail(wasm, 'session options cannot be made');
    const model = copyIn(wasm, bytes);
    try {
      for (const { path, data } of external) wasm.mountExternalData(path, data);
      this.handle = wasm._OrtCreateSession(model, bytes.length, options);
    } finally {
      wasm._free(model);
      wasm._OrtReleaseSessionOptions(options);
      wasm.unmountExternalData();
    }
    if (!this.handle) fail(wasm, 'the session cannot be made');
    const [inputs, outputs] = this.names();
    this.inputs = inputs;
    this.outputs = outputs;
  }

  runSync(
    feeds: Record<string, RuntimeTensor>,
    into: Record<string, RuntimeTensor> = {},
  ): Record<string, RuntimeTensor> {
    const { wasm, handle, inputs, outputs } = this;
    const stack = wasm.stackSave();
    const tensors: number[] = [];
    const buffers: number[] = [];
    try {
      const inputNames = pointers(wasm, [...inputs.values()]);
      for (const name of inputs.keys()) {
        const { type, data, dims } = feeds[name]!;
        const buffer = copyIn(wasm, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        buffers.push(buffer);
        const shape = pointers(wasm, dims);
        const dtype = ONNX_TYPE[type as OnnxDType];
        const tensor = wasm._OrtCreateTensor(dtype, buffer, data.byteLength, shape, dims.length, ON_CPU);
        if (!tensor) fail(wasm, `input ${name} cannot be made`);
        tensors.push(tensor);
      }
      const values = pointers(wasm, tensors);
      const outputNames = pointers(wasm, [...outputs.values()]);
      const results = pointers(wasm, new Array<number>(outputs.size).fill(0));
      const code = wasm._OrtRun(
        handle,
        inputNames,
        values,
        inputs.size,
        outputNames,
        outputs.size,
        results,
        0,
      );
      if (code !== 0) fail(wasm, 'the program failed');
      const named: Record<string, RuntimeTensor> = {};
      let at = results;
      for (const name of outputs.keys()) {
        const tensor = wasm.getValue(at, '*');
        tensors.push(tensor);
        named[name] = copyOut(wasm, tensor, into[name]);
        at += POINTER;
      }
      return named;
    } finally {
      for (const tensor of tensors) wasm._OrtReleaseTensor(tensor);
      for (const buffer of buffers) wasm._free(buffer);
      wasm.stackRestore(stack);
    }
  }

  async run(feeds: Record<string, RuntimeTensor>): Promise<Record<string, RuntimeTensor>> {
    return this.runSync(feeds);
  }

  dispose(): void {
    const { wasm, inputs, outputs } = this;
    for (const name of [...inputs.values(), ...outputs.values()]) wasm._OrtFree(name);
    wasm._OrtReleaseSession(this.handle);
  }

  private names(): [inputs: Map<string, number>, outputs: Map<string, number>] {
    const { wasm, handle } = this;
    const stack = wasm.stackSave();
    try {
      const out = wasm.stackAlloc(2 * POINTER);
      if (wasm._OrtGetInputOutputCount(handle, out, out + POINTER) !== 0) fail(wasm, 'no input count');
      const [inputs, outputs] = [wasm.getValue(out, 'i32'), wasm.getValue(out + POINTER, 'i32')];
      const name = (index: number): [string, number] => {
        if (wasm._OrtGetInputOutputMetadata(handle, index, out, out + POINTER) !== 0) fail(wasm, 'no name');
        const pointer = wasm.getValue(out, '*');
        wasm._OrtFree(wasm.getValue(out + POINTER, '*'));
        return [wasm.UTF8ToString(pointer), pointer];
      };
      const all = Array.from({ length: inputs + outputs }, (_, i) => name(i));
      return [new Map(all.slice(0, inputs)), new Map(all.slice(inputs))];
    } finally {
      wasm.stackRestore(stack);
    }
  }
}

/** Copies to the module's memory, which may move when it grows: the view is read after the allocation. */
function copyIn(wasm: WasmModule, bytes: Uint8Array): number {
  const pointer = wasm._malloc(Math.max(1, bytes.length));
  if (!pointer) throw new Error(`WebAssembly has no ${bytes.length} bytes left`);
  wasm.HEAPU8.set(bytes, pointer);
  return pointer;
}

/** A list of 32-bit numbers on the stack. */
function pointers(wasm: WasmModule, values: readonly number[]): number {
  const list = wasm.stackAlloc(POINTER * values.length);
  values.forEach((value, i) => void wasm.setValue(list + POINTER * i, value, 'i32'));
  return list;
}

function copyOut(wasm: WasmModule, tensor: number, into: RuntimeTensor | undefined): RuntimeTensor {
  const stack = wasm.stackSave();
  try {
    const out = wasm.stackAlloc(4 * POINTER);
    if (wasm._OrtGetTensorData(tensor, out, out + 4, out + 8, out + 12) !== 0) fail(wasm, 'no output data');
    const dtype = DTYPES.get(wasm.getValue(out, 'i32'))!;
    const shape = wasm.getValue(out + 8, '*');
    const rank = wasm.getValue(out + 12, 'i32');
    const dims = Array.from({ length: rank }, (_, i) => wasm.getValue(shape + POINTER * i, 'i32'));
    wasm._OrtFree(shape);
    const size = dims.reduce((a, b) => a * b, 1);
    const view = new ARRAYS[dtype](wasm.HEAPU8.buffer, wasm.getValue(out + 4, '*'), size);
    if (!into) return { type: dtype, data: view.slice(), dims };
    into.data.set(view as never);
    return into;
  } finally {
    wasm.stackRestore(stack);
  }
}
