import { ArgumentError, checkArgument } from '../errors';
import { byteLength, elementCount, isDiskDType } from './dtype';
import type { DiskDType, HostTensor } from './host-tensor';
import {
  bfloatOfFloat32Bits,
  float32BitsOfHalf,
  halfOfFloat32Bits,
  type SmallFloat,
  valuesOf,
} from './small-floats';

/** Arrays of plain numbers. */
export type NumberArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** An array as it lies in the file; 16-bit floats as their bits, floats of 8 bits and less as bytes. */
export type NativeArray = NumberArray | BigInt64Array | BigUint64Array;

interface NativeConstructor<T extends NativeArray> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): T;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** The values do not fit the wanted type. Internal: callers wrap it into an error that names the tensor. */
export class Unfit extends Error {}

/**
 * Makes a host tensor from numbers, as `dtype` (default: the array's own type, `F32` for plain arrays). Copies.
 * 64-bit integers take and exactly keep numbers up to 2^53 and bigints.
 * @throws ArgumentError where the count does not match the shape, or a value does not fit.
 */
export function hostTensor(
  values: NativeArray | readonly number[] | readonly bigint[],
  shape: readonly number[],
  dtype: DiskDType = naturalDType(values),
): HostTensor {
  const expected = `${elementCount(shape)} values for shape [${shape.join(', ')}]`;
  checkArgument(isDiskDType(dtype), 'hostTensor', 'dtype', 'a type of the safetensors format', dtype);
  checkArgument(
    values.length === elementCount(shape),
    'hostTensor',
    'values',
    expected,
    `${values.length} values`,
  );
  try {
    return { dtype, shape: [...shape], bytes: encodeValues(values, dtype) };
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    throw new ArgumentError({
      fn: 'hostTensor',
      argument: 'values',
      expected: dtype,
      received: error.message,
    });
  }
}

/** The elements in their own type: a view of the tensor's bytes where they are aligned, else a copy. */
export function nativeArray({ dtype, bytes }: HostTensor): NativeArray {
  switch (dtype) {
    case 'I8':
      return view(Int8Array, bytes);
    case 'I16':
      return view(Int16Array, bytes);
    case 'U16':
    case 'F16':
    case 'BF16':
      return view(Uint16Array, bytes);
    case 'I32':
      return view(Int32Array, bytes);
    case 'U32':
      return view(Uint32Array, bytes);
    case 'F32':
    case 'C64':
      return view(Float32Array, bytes);
    case 'F64':
      return view(Float64Array, bytes);
    case 'I64':
      return view(BigInt64Array, bytes);
    case 'U64':
      return view(BigUint64Array, bytes);
    default:
      return bytes;
  }
}

/**
 * The elements as float32: of `F32` a view where aligned, else converted (16-, 8- and 4-bit floats exactly, doubles
 * and integers rounded to nearest).
 * @throws ArgumentError for doubles beyond float32's range, complex numbers and packed 6-bit floats.
 */
export function toFloat32(tensor: HostTensor): Float32Array {
  return named('toFloat32', tensor, float32Of);
}

/**
 * The elements as int32: of `I32` a view where aligned.
 * @throws ArgumentError for a value that is no integer of 32 bits.
 */
export function toInt32(tensor: HostTensor): Int32Array {
  return named('toInt32', tensor, int32Of);
}

function named<T>(fn: string, tensor: HostTensor, convert: (tensor: HostTensor) => T): T {
  const { dtype, shape, bytes } = tensor;
  const expected = `${byteLength(dtype, shape)} bytes for ${dtype} [${shape.join(', ')}]`;
  checkArgument(
    bytes.byteLength === byteLength(dtype, shape),
    fn,
    'tensor',
    expected,
    `${bytes.byteLength} bytes`,
  );
  try {
    return convert(tensor);
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    throw new ArgumentError({
      fn,
      argument: 'tensor',
      expected: 'convertible values',
      received: error.message,
    });
  }
}

/** @throws Unfit */
export function float32Of(tensor: HostTensor): Float32Array {
  const numbers = numbersOf(tensor);
  if (numbers instanceof Float32Array) return numbers;
  const floats = new Float32Array(numbers);
  if (tensor.dtype === 'F64') {
    for (let i = 0; i < floats.length; i++) {
      if (!Number.isFinite(floats[i]) && Number.isFinite(numbers[i]))
        throw unfit(tensor, i, numbers[i], 'float32');
    }
  }
  return floats;
}

/** @throws Unfit */
export function int32Of(tensor: HostTensor): Int32Array {
  const numbers = numbersOf(tensor);
  if (numbers instanceof Int32Array) return numbers;
  const ints = new Int32Array(numbers);
  for (let i = 0; i < ints.length; i++) {
    if (ints[i] !== numbers[i]) throw unfit(tensor, i, numbers[i], 'int32');
  }
  return ints;
}

/** Zeros and ones. `BOOL` takes any non-zero byte as true, as C does; other types must hold 0 and 1. @throws Unfit */
export function boolOf(tensor: HostTensor): Uint8Array {
  const numbers = numbersOf(tensor);
  const bools = new Uint8Array(numbers.length);
  for (let i = 0; i < bools.length; i++) {
    const value = numbers[i];
    if (value !== 0 && value !== 1) throw unfit(tensor, i, value, 'bool');
    bools[i] = value;
  }
  return bools;
}

function unfit({ dtype }: HostTensor, index: number, value: number | undefined, wanted: string): Unfit {
  return new Unfit(`${dtype} value ${value} at index ${index} does not fit ${wanted}`);
}

/** Every element as a number; 64-bit integers beyond 2^53 rounded. A view where the type allows it. @throws Unfit */
function numbersOf(tensor: HostTensor): NumberArray {
  const { dtype, bytes } = tensor;
  switch (dtype) {
    case 'BOOL':
      return bytes.map((byte) => (byte === 0 ? 0 : 1));
    case 'F16':
      return float32FromBits(view(Uint16Array, bytes), float32BitsOfHalf);
    case 'BF16':
      return float32FromBits(view(Uint16Array, bytes), (half) => half << 16);
    case 'F8_E4M3':
    case 'F8_E5M2':
    case 'F8_E4M3FNUZ':
    case 'F8_E5M2FNUZ':
    case 'F8_E8M0':
      return lookUp(bytes, dtype);
    case 'F4': {
      // Two elements a byte, the lower half first.
      const nibbles = new Uint8Array(bytes.length * 2);
      for (let i = 0; i < bytes.length; i++) {
        nibbles[2 * i] = bytes[i]! & 15;
        nibbles[2 * i + 1] = bytes[i]! >> 4;
      }
      return lookUp(nibbles, 'F4');
    }
    case 'I64':
    case 'U64': {
      const words = view(Uint32Array, bytes);
      const numbers = new Float64Array(words.length / 2);
      for (let i = 0; i < numbers.length; i++) {
        const high = words[2 * i + 1]!;
        numbers[i] = (dtype === 'I64' ? high | 0 : high) * 4294967296 + words[2 * i]!;
      }
      return numbers;
    }
    case 'C64':
      throw new Unfit('C64 values are complex');
    case 'F6_E2M3':
    case 'F6_E3M2':
      throw new Unfit(`how ${dtype} packs its elements is not specified; read its bytes`);
    default:
      return nativeArray(tensor) as NumberArray;
  }
}

function float32FromBits(patterns: Uint16Array, bitsOf: (pattern: number) => number): Float32Array {
  const bits = new Uint32Array(patterns.length);
  for (let i = 0; i < bits.length; i++) bits[i] = bitsOf(patterns[i]!);
  return new Float32Array(bits.buffer);
}

function lookUp(patterns: Uint8Array, format: SmallFloat): Float32Array {
  const values = valuesOf(format);
  const floats = new Float32Array(patterns.length);
  for (let i = 0; i < floats.length; i++) floats[i] = values[patterns[i]!]!;
  return floats;
}

const integerRanges = {
  BOOL: [0, 1, Uint8Array],
  U8: [0, 255, Uint8Array],
  I8: [-128, 127, Int8Array],
  U16: [0, 65535, Uint16Array],
  I16: [-32768, 32767, Int16Array],
  U32: [0, 4294967295, Uint32Array],
  I32: [-2147483648, 2147483647, Int32Array],
} as const;

/** The bytes of `values` as `dtype`, freshly allocated. @throws Unfit */
export function encodeValues(
  values: NativeArray | readonly number[] | readonly bigint[],
  dtype: DiskDType,
): Uint8Array {
  if (!Array.isArray(values) && naturalDType(values) === dtype) return copyBytes(values as NativeArray);
  if (dtype === 'I64' || dtype === 'U64') return encode64(values, dtype);
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    throw new Unfit(`bigints cannot be written as ${dtype}`);
  }
  const numbers = values as NumberArray;
  switch (dtype) {
    case 'F64':
      return bytesOf(new Float64Array(numbers));
    case 'F32':
      return bytesOf(new Float32Array(numbers));
    case 'F16':
    case 'BF16': {
      const toPattern = dtype === 'F16' ? halfOfFloat32Bits : bfloatOfFloat32Bits;
      const floats = numbers instanceof Float32Array ? numbers : new Float32Array(numbers);
      const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
      const patterns = new Uint16Array(bits.length);
      for (let i = 0; i < bits.length; i++) patterns[i] = toPattern(bits[i]!);
      return bytesOf(patterns);
    }
    case 'BOOL':
    case 'U8':
    case 'I8':
    case 'U16':
    case 'I16':
    case 'U32':
    case 'I32': {
      const [min, max, Ints] = integerRanges[dtype];
      for (let i = 0; i < numbers.length; i++) {
        const value = numbers[i]!;
        if (!Number.isInteger(value) || value < min || value > max) {
          throw new Unfit(`value ${value} at index ${i} does not fit ${dtype}`);
        }
      }
      return bytesOf(new Ints(numbers));
    }
    default:
      throw new Unfit(`numbers cannot be written as ${dtype}`);
  }
}

function encode64(
  values: NativeArray | readonly number[] | readonly bigint[],
  dtype: 'I64' | 'U64',
): Uint8Array {
  const [min, max] = dtype === 'I64' ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
  const out = dtype === 'I64' ? new BigInt64Array(values.length) : new BigUint64Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const value = values[i]!;
    const exact = typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? BigInt(value) : undefined;
    if (exact === undefined || exact < min || exact > max) {
      throw new Unfit(`value ${value} at index ${i} does not fit ${dtype}`);
    }
    out[i] = exact;
  }
  return bytesOf(out);
}

function naturalDType(values: NativeArray | readonly number[] | readonly bigint[]): DiskDType {
  if (values instanceof Float64Array) return 'F64';
  if (values instanceof Int32Array) return 'I32';
  if (values instanceof Uint32Array) return 'U32';
  if (values instanceof Int16Array) return 'I16';
  if (values instanceof Uint16Array) return 'U16';
  if (values instanceof Int8Array) return 'I8';
  if (values instanceof Uint8Array) return 'U8';
  if (values instanceof BigInt64Array) return 'I64';
  if (values instanceof BigUint64Array) return 'U64';
  return 'F32';
}

/** The bytes behind an array, without a copy, and as a plain Uint8Array where it is Node's Buffer. */
export function bytesOf(array: NativeArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A copy in memory of its own. `slice()` would not do: on Node's Buffer it shares. */
export function copyBytes(array: NativeArray): Uint8Array {
  const copy = new Uint8Array(array.byteLength);
  copy.set(bytesOf(array));
  return copy;
}

function view<T extends NativeArray>(Type: NativeConstructor<T>, bytes: Uint8Array): T {
  const width = Type.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % width === 0 ? bytes : copyBytes(bytes);
  return new Type(aligned.buffer, aligned.byteOffset, bytes.byteLength / width);
}
