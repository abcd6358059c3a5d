import {
  type KernelFunc,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  registerKernel,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { OnnxBackend } from '../backend';
import { type Attrs, record, type Value, type ValueType, valueType } from '../trace/graph';
import { onComplex } from './by-parts';
import { fallback } from './fallback';

/** What a recording kernel gets: tfjs's arguments, and ways to turn tensors into values and back. */
export class KernelCall {
  constructor(
    readonly name: string,
    readonly backend: OnnxBackend,
    readonly inputs: NamedTensorInfoMap,
    readonly attributes: NamedAttrMap,
  ) {}

  info(name: string): TensorInfo {
    const value = this.inputs[name];
    const info = Array.isArray(value) ? value[0] : value;
    if (!info) throw new Error(`${this.name}: input ${name} is missing`);
    return info as TensorInfo;
  }

  list(): TensorInfo[] {
    return Object.values(this.inputs) as TensorInfo[];
  }

  has(name: string): boolean {
    return this.inputs[name] != null;
  }

  value(name: string): Value {
    return this.backend.traced(this.info(name));
  }

  /** A kernel attribute, of the type that tfjs documents for it. */
  attr<T>(name: string): T {
    return this.attributes[name] as T;
  }

  record(
    type: string,
    inputs: readonly Value[],
    attrs: Attrs,
    shape: readonly number[],
    dtype: ValueType,
  ): Value {
    return record(type, this.name, inputs, attrs, shape, dtype);
  }

  tensor(value: Value): TensorInfo {
    return this.backend.tensorInfo(value);
  }
}

/** Result of a recording kernel; `undefined` hands the call to tfjs's cpu implementation. */
export type RecordingKernel = (call: KernelCall) => Value | TensorInfo | TensorInfo[] | undefined;

export const BACKEND = 'onnx';

/** Registers a kernel that records. Strings, and complex numbers where nothing better is known, go to the cpu's. */
export function kernel(name: string, run: RecordingKernel): void {
  const kernelFunc: KernelFunc = ({ inputs, attrs, backend }) => {
    const onnx = backend as OnnxBackend;
    const named = inputs as NamedTensorInfoMap;
    const graphable = isGraphable(named);
    const call = new KernelCall(name, onnx, named, (attrs ?? {}) as NamedAttrMap);
    const result = graphable ? run(call) : onComplex(call, run);
    if (result === undefined) return fallback(name, onnx, named, (attrs ?? {}) as NamedAttrMap);
    return isValue(result) ? onnx.tensorInfo(result) : result;
  };
  registerKernel({ kernelName: name, backendName: BACKEND, kernelFunc });
}

/** Registers a kernel that handles every dtype itself. */
export function rawKernel(name: string, run: (call: KernelCall) => TensorInfo | TensorInfo[]): void {
  registerKernel({
    kernelName: name,
    backendName: BACKEND,
    kernelFunc: ({ inputs, attrs, backend }) =>
      run(
        new KernelCall(
          name,
          backend as OnnxBackend,
          inputs as NamedTensorInfoMap,
          (attrs ?? {}) as NamedAttrMap,
        ),
      ),
  });
}

function isGraphable(inputs: NamedTensorInfoMap): boolean {
  for (const name in inputs) {
    const input = inputs[name];
    if (input != null && !valueType((input as TensorInfo).dtype)) return false;
  }
  return true;
}

function isValue(x: Value | TensorInfo | TensorInfo[]): x is Value {
  return !Array.isArray(x) && !('dataId' in x);
}
