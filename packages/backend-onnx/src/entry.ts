import type { BackendValues, DataType, TensorInfo } from '@tensorflow/tfjs-core';
import type { RuntimeTensor, TensorData } from './runtime/session';
import { sizeOf, Value, type ValueType } from './trace/graph';

/** What the backend holds for one data id. */
export class Entry {
  /** Strings, which never enter a graph. */
  strings: BackendValues | undefined;
  complex: { real: TensorInfo; imag: TensorInfo } | undefined;
  /** A variable was made of it, or it was assigned to one. */
  assigned = false;

  constructor(
    readonly dtype: DataType,
    public refCount: number,
    /** Numeric and boolean tensors. */
    public value?: Value,
  ) {}
}

/** What readers get: the data itself, unless that changes or is a part of other data. */
export function read({ data, mutable }: Value): BackendValues {
  const own = !mutable && data!.byteLength === data!.buffer.byteLength;
  return (own ? data : data!.slice()) as BackendValues;
}

export function settledValue(result: RuntimeTensor): Value {
  const value = new Value(result.dims, result.type as ValueType);
  value.data = result.data;
  value.feed = result;
  return value;
}

export function entryOf(
  values: BackendValues | null,
  shape: number[],
  dtype: DataType,
  refCount: number,
): Entry {
  const entry = new Entry(dtype, refCount);
  if (dtype === 'string') entry.strings = values ?? [];
  else if (dtype !== 'complex64') {
    const type = dtype as ValueType;
    entry.value = Value.leaf(hostCopy(values, sizeOf(shape), type), shape, type);
  }
  return entry;
}

/** Of typed arrays it is one copy of memory, where `from` would walk through them. */
function hostCopy(values: BackendValues | null, size: number, dtype: ValueType): TensorData {
  const Typed = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[dtype];
  return values ? new Typed(values as ArrayLike<number>) : new Typed(size);
}

export function interleave(real: BackendValues, imag: BackendValues): Float32Array {
  const out = new Float32Array(2 * real.length);
  for (let i = 0; i < real.length; i++) {
    out[2 * i] = real[i] as number;
    out[2 * i + 1] = imag[i] as number;
  }
  return out;
}
