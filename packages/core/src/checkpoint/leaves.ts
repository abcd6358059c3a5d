import * as tf from '@tensorflow/tfjs-core';
import {
  ArgumentError,
  checkArgument,
  type ShapeMismatch,
  StateDictError,
  type ValueMismatch,
} from '../errors';
import { type Buffer, diskFormat, type Parameter } from '../nn/leaf';
import { boolOf, copyBytes, encodeValues, float32Of, int32Of, Unfit } from './convert';
import { byteLength } from './dtype';
import type { DiskDType, HostTensor, LoadReport, StateDict } from './host-tensor';
import { inversePermutation, transposeHost } from './transpose';

/** Parameters and buffers by name, as a module or an optimizer holds them. */
export type Leaves = Record<string, Parameter | Buffer>;

const diskTypes: Record<string, DiskDType> = { float32: 'F32', int32: 'I32', bool: 'BOOL' };

/**
 * Copies leaves to the host, each in its `DiskFormat`. All reads are asked for at once, before anything is awaited, so
 * that the result is one moment's state even where training goes on meanwhile.
 */
export async function saveLeaves(leaves: Leaves): Promise<StateDict> {
  const entries = await Promise.all(
    Object.entries(leaves).map(async ([key, leaf]) => {
      checkArgument(!leaf.isDisposed, 'stateDict', key, 'a live tensor', 'a disposed one');
      const data = await leaf.data();
      return [key, toDisk(key, leaf, data as Float32Array | Int32Array | Uint8Array)] as const;
    }),
  );
  // fromEntries, here and elsewhere: unlike an assignment it makes an own property even of a name like __proto__.
  return Object.fromEntries(entries);
}

/**
 * Copies values into the leaves of the same names, converting file types (16-bit floats, doubles, 64-bit integers, …)
 * to each leaf's own and PyTorch's layout to the one in memory. All or nothing: everything is checked and converted
 * before the first leaf changes.
 *
 * `strict: false` passes over extra and missing keys and returns them; wrong shapes and values stay errors.
 *
 * A missing `…num_batches_tracked` is never an error, and the counter keeps its value: PyTorch added it in 0.4.1 and
 * treats dicts without version information, as every safetensors file is, in the same way.
 * @throws StateDictError that lists every extra, missing, wrongly shaped and unusable key.
 */
export function loadLeaves(
  leaves: Leaves,
  state: StateDict,
  { strict = true }: { strict?: boolean } = {},
): LoadReport {
  const fn = 'loadStateDict';
  const missing = Object.keys(leaves).filter((key) => !Object.hasOwn(state, key) && !isOptional(key));
  const extra = Object.keys(state).filter((key) => !Object.hasOwn(leaves, key));
  const shapes: ShapeMismatch[] = [];
  const values: ValueMismatch[] = [];
  const ready: { leaf: tf.Variable; data: Float32Array | Int32Array | Uint8Array }[] = [];

  for (const [key, leaf] of Object.entries(leaves)) {
    const tensor = Object.hasOwn(state, key) ? state[key] : undefined;
    if (!tensor) continue;
    const expected = diskShape(leaf);
    if (!sameShape(expected, tensor.shape)) {
      shapes.push({ key, expected, received: tensor.shape });
      continue;
    }
    try {
      ready.push({ leaf, data: fromDisk(leaf, tensor) });
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      values.push({ key, problem: error.message });
    }
  }
  if (shapes.length || values.length || (strict && (missing.length || extra.length))) {
    throw new StateDictError({ fn, ...(strict ? { missing, extra } : {}), shapes, values });
  }
  for (const { leaf, data } of ready) {
    const value = tf.tensor(data, leaf.shape, leaf.dtype);
    leaf.assign(value);
    value.dispose();
  }
  return { missing, extra };
}

function isOptional(key: string): boolean {
  return key === 'num_batches_tracked' || key.endsWith('.num_batches_tracked');
}

function diskShape(leaf: Parameter | Buffer): number[] {
  const { permute } = diskFormat(leaf);
  return permute ? permute.map((axis) => leaf.shape[axis]!) : [...leaf.shape];
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

function toDisk(
  key: string,
  leaf: Parameter | Buffer,
  data: Float32Array | Int32Array | Uint8Array,
): HostTensor {
  const { permute, dtype = diskTypes[leaf.dtype] } = diskFormat(leaf);
  checkArgument(dtype, 'stateDict', key, 'a float32, int32 or bool tensor', leaf.dtype);
  const ordered = permute ? transposeHost(data, leaf.shape, permute) : data;
  try {
    // The cpu backend hands out its own memory: without a copy the snapshot would be the live weights.
    const bytes = dtype === diskTypes[leaf.dtype] ? copyBytes(ordered) : encodeValues(ordered, dtype);
    return { dtype, shape: diskShape(leaf), bytes };
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    throw new ArgumentError({ fn: 'stateDict', argument: key, expected: dtype, received: error.message });
  }
}

/** The values in memory layout, in memory that nobody else holds. */
function fromDisk(leaf: Parameter | Buffer, tensor: HostTensor): Float32Array | Int32Array | Uint8Array {
  const length = byteLength(tensor.dtype, tensor.shape);
  if (tensor.bytes.byteLength !== length) {
    throw new Unfit(
      `${tensor.dtype} [${tensor.shape.join(', ')}] takes ${length} bytes, got ${tensor.bytes.byteLength}`,
    );
  }
  const convert = { float32: float32Of, int32: int32Of, bool: boolOf }[
    leaf.dtype as 'float32' | 'int32' | 'bool'
  ];
  if (!convert) throw new Unfit(`a ${leaf.dtype} tensor cannot be loaded`);
  const values = convert(tensor);
  const { permute } = diskFormat(leaf);
  if (permute) return transposeHost(values, tensor.shape, inversePermutation(permute));
  return values.buffer === tensor.bytes.buffer ? values.slice() : values;
}
