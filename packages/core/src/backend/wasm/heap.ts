import type { BackendWasm as TfjsBackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

// Reads and writes tensors in the heap of tfjs's wasm backend. Upstream is frozen at 4.22.0, and these fields are
// public in its types; those of the emscripten module are missing from the published ones.

export type BackendWasm = Omit<TfjsBackendWasm, 'wasm'> & {
  readonly wasm: {
    readonly HEAPU8: Uint8Array;
    cwrap(name: string, returns: string | null, parameters: string[]): (...args: never[]) => unknown;
    readonly tfjs: {
      /** Tells the C++ side of a tensor of `size` elements at a byte offset. */
      registerTensor(id: number, size: number, memoryOffset: number): void;
      disposeData(id: number): void;
    };
  };
};

/** What a kernel function of the wasm backend is given. */
export interface WasmKernelArgs {
  inputs: Record<string, tf.Tensor>;
  // biome-ignore lint/suspicious/noExplicitAny: attributes have a different type for each kernel; each file states its own
  attrs: any;
  backend: BackendWasm;
}

/**
 * The whole heap as 4-byte elements. Copies inside it (`copyWithin`) work for float32 and int32 alike.
 * An allocation may move the heap: make all outputs first.
 */
export function heap(backend: BackendWasm): Float32Array {
  return new Float32Array(backend.wasm.HEAPU8.buffer);
}

/** Index in `heap` of a tensor's first element. */
export function start(backend: BackendWasm, tensor: tf.TensorInfo): number {
  return backend.dataIdMap.get(tensor.dataId).memoryOffset >>> 2;
}

/** A float32 tensor whose elements are whatever lies there: write them all. Belongs to the current tidy. */
export function allocate<T extends tf.Tensor>(backend: BackendWasm, shape: T['shape']): T {
  return tf.engine().makeTensorFromTensorInfo(backend.makeOutput(shape, 'float32')) as T;
}
