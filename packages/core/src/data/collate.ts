import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, checkArgument } from '../errors';
import { type Collated, type Field, type HostArray, isHostArray, isHostData, sizeOf } from './sample';

/** A field of a batch before it becomes a tensor. */
type HostField =
  | { data: Float32Array | Int32Array | Uint8Array; shape: number[]; dtype: tf.DataType }
  | string[];
/** A batch that holds no tensor yet: safe to prepare ahead and to drop. */
export type HostBatch = HostField | { [name: string]: HostField };

/**
 * Makes a batch of samples that are fields or flat records of fields. Per field, with `n` samples:
 *
 * | in the sample                                | in the batch                                        |
 * |----------------------------------------------|-----------------------------------------------------|
 * | `HostArray` of floats, shape `s`             | float32 `[n, ...s]`                                 |
 * | `HostArray` of bytes with a `range`          | float32 `[n, ...s]`, 0 and 255 mapped to the range  |
 * | `HostArray` of integers (bytes without range) | int32 `[n, ...s]`                                  |
 * | a bare typed array                           | as a `HostArray` of one axis                        |
 * | a number                                     | float32 `[n]` (`int32(5)` for int32)                |
 * | a boolean                                    | bool `[n]`                                          |
 * | a string                                     | `string[]`                                          |
 *
 * @param indices what error messages call the samples; their positions by default.
 * @returns tensors that the caller owns.
 * @throws ArgumentError naming sample, field and shapes where the samples are not alike.
 */
export function collate<S>(samples: readonly S[], indices?: ArrayLike<number>): Collated<S> {
  return toTensors(collateHost(samples, indices)) as Collated<S>;
}

/** The first half of `collate`: everything but the making of tensors. */
export function collateHost(samples: readonly unknown[], indices?: ArrayLike<number>): HostBatch {
  const [first] = samples;
  checkArgument(samples.length > 0, 'collate', 'samples', 'at least one sample', samples);
  const at = (i: number) => (indices ? indices[i]! : i);
  if (isField(first)) return collateField(samples, at);
  checkArgument(
    typeof first === 'object' && first !== null && !Array.isArray(first) && !(first instanceof tf.Tensor),
    'collate',
    `sample ${at(0)}`,
    'a host array, a typed array, a number, a boolean, a string, or a record of those (or give the loader a collate)',
    first,
  );
  const names = Object.keys(first);
  samples.forEach((sample, i) => {
    const found = typeof sample === 'object' && sample !== null ? Object.keys(sample) : [];
    if (found.length === names.length && names.every((name) => Object.hasOwn(sample as object, name))) return;
    throw new ArgumentError({
      fn: 'collate',
      argument: `sample ${at(i)}`,
      expected: `the fields ${names.join(', ')}, as in sample ${at(0)}`,
      received: found.length ? found : sample,
    });
  });
  const batch: { [name: string]: HostField } = {};
  for (const name of names) {
    const column = samples.map((sample) => (sample as Record<string, unknown>)[name]);
    batch[name] = collateField(column, at, name);
  }
  return batch;
}

/** The second half: the caller owns the tensors. */
export function toTensors(batch: HostBatch): unknown {
  if (Array.isArray(batch)) return batch;
  if (isHostField(batch)) return tf.tensor(batch.data, batch.shape, batch.dtype);
  return Object.fromEntries(Object.entries(batch).map(([name, field]) => [name, toTensors(field)]));
}

function isHostField(batch: HostBatch): batch is Exclude<HostField, string[]> {
  return 'dtype' in batch && typeof batch.dtype === 'string';
}

function isField(value: unknown): value is Field {
  return (
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    typeof value === 'string' ||
    isHostData(value) ||
    isHostArray(value)
  );
}

function collateField(values: readonly unknown[], at: (i: number) => number, name?: string): HostField {
  const n = values.length;
  const [first] = values;
  const fail = (i: number, expected: string, received: unknown): never => {
    const argument = name === undefined ? `sample ${at(i)}` : `sample ${at(i)}, field '${name}'`;
    throw new ArgumentError({ fn: 'collate', argument, expected, received });
  };
  if (!isField(first)) return fail(0, 'a host array, a typed array, a number, a boolean or a string', first);
  if (typeof first !== 'object') {
    values.forEach((value, i) => {
      if (typeof value !== typeof first) fail(i, `a ${typeof first}, as in sample ${at(0)}`, value);
    });
    if (typeof first === 'string') return values as string[];
    if (typeof first === 'number')
      return { data: Float32Array.from(values as number[]), shape: [n], dtype: 'float32' };
    return { data: Uint8Array.from(values as boolean[], Number), shape: [n], dtype: 'bool' };
  }

  const arrays = values.map((value, i) => {
    if (isHostData(value)) return { data: value, shape: [value.length] };
    return isHostArray(value) ? value : fail(i, `an array, as in sample ${at(0)}`, value);
  });
  const shape = arrays[0]!.shape;
  const kind = elementKind(arrays[0]!);
  const size = sizeOf(shape);
  const data: Float32Array | Int32Array =
    kind === 'integers' ? new Int32Array(n * size) : new Float32Array(n * size);
  arrays.forEach((array, i) => {
    if (!sameShape(array.shape, shape))
      fail(i, `shape [${shape.join(', ')}], as in sample ${at(0)}`, array.shape);
    if (array.data.length !== size)
      fail(i, `${size} elements for shape [${shape.join(', ')}]`, array.data.length);
    if (elementKind(array) !== kind) fail(i, `${kind}, as in sample ${at(0)}`, elementKind(array));
    const { range } = array as HostArray;
    if (range) convert(array.data as Uint8Array, range, data, i * size);
    else data.set(array.data, i * size);
  });
  return { data, shape: [n, ...shape], dtype: kind === 'integers' ? 'int32' : 'float32' };
}

function elementKind({ data, range }: HostArray): 'floats' | 'integers' {
  return data instanceof Float32Array || data instanceof Float64Array || range ? 'floats' : 'integers';
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** Bytes to real numbers, by a table: 256 divisions per range and not one per pixel. */
function convert(
  bytes: Uint8Array,
  range: readonly [number, number],
  out: Float32Array | Int32Array,
  start: number,
) {
  const table = tableOf(range);
  for (let i = 0; i < bytes.length; i++) out[start + i] = table[bytes[i]!]!;
}

const tables = new Map<string, Float32Array>();

function tableOf([min, max]: readonly [number, number]): Float32Array {
  const name = `${min},${max}`;
  const known = tables.get(name);
  if (known) return known;
  const table = Float32Array.from({ length: 256 }, (_, byte) => min + ((max - min) * byte) / 255);
  if (tables.size >= 64) tables.clear();
  tables.set(name, table);
  return table;
}
