import type * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';

/** Element types that a sample may be stored in. */
export type HostData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** An array in host memory, row-major: what datasets hold, so that no tensor exists before its batch does. */
export interface HostArray {
  readonly data: HostData;
  readonly shape: readonly number[];
  /** For bytes that stand for real numbers: what 0 and 255 mean. The batch converts them, once, to float32. */
  readonly range?: readonly [min: number, max: number];
}

/** One named part of a sample. A bare typed array is a `HostArray` of one axis. */
export type Field = HostArray | HostData | number | boolean | string;

/** What the default collation puts into batches: a field, or a record of fields. */
export type Sample = Field | { readonly [name: string]: Field };

/** What a batch holds for a field. */
export type CollatedField<F> = F extends string ? string[] : tf.Tensor;

/** The batch that the default collation makes of samples `S`. */
export type Collated<S> = S extends Field
  ? CollatedField<S>
  : S extends object
    ? { [K in keyof S]: CollatedField<S[K]> }
    : never;

export function isHostData(value: unknown): value is HostData {
  return (
    ArrayBuffer.isView(value) &&
    (value instanceof Uint8Array ||
      value instanceof Float32Array ||
      value instanceof Int32Array ||
      value instanceof Float64Array ||
      value instanceof Int8Array ||
      value instanceof Int16Array ||
      value instanceof Uint16Array)
  );
}

export function isHostArray(value: unknown): value is HostArray {
  return (
    typeof value === 'object' &&
    value !== null &&
    'data' in value &&
    'shape' in value &&
    isHostData(value.data) &&
    Array.isArray(value.shape)
  );
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, d) => product * d, 1);
}

/**
 * A host array, checked: `hostArray(pixels, [28, 28, 1], [-1, 1])`.
 * @param range only with bytes: the values that 0 and 255 stand for.
 */
export function hostArray(
  data: HostData,
  shape: readonly number[],
  range?: readonly [min: number, max: number],
): HostArray {
  checkArgument(
    isHostData(data),
    'hostArray',
    'data',
    'a typed array of at most 32-bit integers or floats',
    data,
  );
  checkArgument(
    shape.every((d) => Number.isInteger(d) && d >= 0) && sizeOf(shape) === data.length,
    'hostArray',
    'shape',
    `a shape of ${data.length} elements`,
    shape,
  );
  if (!range) return { data, shape };
  checkRange('hostArray', 'range', range);
  checkArgument(
    data instanceof Uint8Array,
    'hostArray',
    'range',
    'no range, as the data are not bytes',
    range,
  );
  return { data, shape, range };
}

/** An int32 scalar, which batches to `[batch]`, int32: what class labels are. Plain numbers batch to float32. */
export function int32(value: number): HostArray {
  return { data: Int32Array.of(value), shape: [] };
}

export function checkRange(fn: string, argument: string, range: readonly number[]): void {
  const [min, max] = range;
  checkArgument(
    Array.isArray(range) && range.length === 2 && Number.isFinite(min) && Number.isFinite(max) && min! < max!,
    fn,
    argument,
    '[min, max], both finite, min < max',
    range,
  );
}
