import type { DiskDType } from './host-tensor';

/**
 * Bits per element, in the order in which safetensors ranks its types: files hold the widest types first, which
 * keeps every tensor aligned, and equal widths in this order, reversed, as the reference implementation writes them.
 */
const bits: Readonly<Record<DiskDType, number>> = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
};

/** All element types, in safetensors' own order. */
export const diskDTypes = Object.keys(bits) as readonly DiskDType[];

const ranks = new Map(diskDTypes.map((dtype, i) => [dtype, i]));

export function isDiskDType(name: unknown): name is DiskDType {
  return typeof name === 'string' && Object.hasOwn(bits, name);
}

/** Place of a type in the order of the format. */
export function dtypeRank(dtype: DiskDType): number {
  return ranks.get(dtype) ?? 0;
}

export function bitsPerElement(dtype: DiskDType): number {
  return bits[dtype];
}

/** Product of the dimensions, or `undefined` where it is no exact JavaScript integer. */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) return undefined;
    // One rounded product above 2^53 is enough to know; the factors are never multiplied further.
    count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/** Bytes of a tensor, or `undefined` where they overflow or do not fill whole bytes (4- and 6-bit types). */
export function byteLength(dtype: DiskDType, shape: readonly number[]): number | undefined {
  const count = elementCount(shape);
  if (count === undefined) return undefined;
  const width = bits[dtype];
  if (width >= 8) {
    const length = count * (width / 8);
    return Number.isSafeInteger(length) ? length : undefined;
  }
  // count = 8 q + r, so that count · width / 8 = q · width + r · width / 8 stays exact.
  const rest = ((count % 8) * width) / 8;
  return Number.isInteger(rest) ? Math.floor(count / 8) * width + rest : undefined;
}
