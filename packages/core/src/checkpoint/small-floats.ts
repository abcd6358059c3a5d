/**
 * Conversions between float32 and the floats that JavaScript has no arrays of. Everything works on bit patterns, so
 * that subnormals, infinities, signed zeros and NaN payloads survive.
 */

/** Layout of an 8-bit (or smaller) float: sign, exponent, mantissa, and which patterns are special. */
interface MiniFloat {
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  /**
   * `ieee`: the top exponent is infinity and NaN. `fn`: only all ones is NaN, no infinity. `fnuz`: only the pattern of
   * negative zero is NaN. `finite`: neither.
   */
  readonly specials: 'ieee' | 'fn' | 'fnuz' | 'finite';
}

/** OCP 8-bit formats and the variants with unsigned zero, as PyTorch names them; OCP MX's 4-bit float. */
const miniFloats = {
  F8_E4M3: { exponentBits: 4, mantissaBits: 3, bias: 7, specials: 'fn' },
  F8_E5M2: { exponentBits: 5, mantissaBits: 2, bias: 15, specials: 'ieee' },
  F8_E4M3FNUZ: { exponentBits: 4, mantissaBits: 3, bias: 8, specials: 'fnuz' },
  F8_E5M2FNUZ: { exponentBits: 5, mantissaBits: 2, bias: 16, specials: 'fnuz' },
  F4: { exponentBits: 2, mantissaBits: 1, bias: 1, specials: 'finite' },
} as const satisfies Record<string, MiniFloat>;

export type SmallFloat = keyof typeof miniFloats | 'F8_E8M0';

const tables = new Map<SmallFloat, Float32Array>();

/** The value of every bit pattern of a format of at most 8 bits. */
export function valuesOf(format: SmallFloat): Float32Array {
  let table = tables.get(format);
  if (!table) {
    table = format === 'F8_E8M0' ? scales() : miniTable(miniFloats[format]);
    tables.set(format, table);
  }
  return table;
}

function miniTable({ exponentBits, mantissaBits, bias, specials }: MiniFloat): Float32Array {
  const half = 1 << (exponentBits + mantissaBits);
  const top = (1 << exponentBits) - 1;
  const ones = (1 << mantissaBits) - 1;
  return Float32Array.from({ length: 2 * half }, (_, pattern) => {
    const sign = pattern & half ? -1 : 1;
    const exponent = (pattern >> mantissaBits) & top;
    const mantissa = pattern & ones;
    if (specials === 'ieee' && exponent === top)
      return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    if (specials === 'fn' && exponent === top && mantissa === ones) return Number.NaN;
    if (specials === 'fnuz' && pattern === half) return Number.NaN;
    const fraction = mantissa / (ones + 1);
    return sign * (exponent ? (1 + fraction) * 2 ** (exponent - bias) : fraction * 2 ** (1 - bias));
  });
}

/** E8M0: a bare power of two, the scale of a block. */
function scales(): Float32Array {
  return Float32Array.from({ length: 256 }, (_, e) => (e === 255 ? Number.NaN : 2 ** (e - 127)));
}

/** Float32 bits of a half-precision pattern. */
export function float32BitsOfHalf(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  let mantissa = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (mantissa << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
  if (mantissa === 0) return sign;
  // Subnormal: shift the leading one into the implicit place. Its value is mantissa · 2^-24.
  let e = 113;
  while ((mantissa & 0x400) === 0) {
    mantissa <<= 1;
    e--;
  }
  return sign | (e << 23) | ((mantissa & 0x3ff) << 13);
}

/** Half-precision pattern nearest to a float32 given by its bits, ties to even; too large becomes infinity. */
export function halfOfFloat32Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >> 13) & 0x1ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and more round to infinity
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - 0x38000000, 13); // normal: 2^-14 and more
  // Subnormal: the significand with its implicit one, in units of 2^-24. Below 2^-25 everything is zero.
  const shift = 126 - (magnitude >>> 23);
  return shift > 24 ? sign : sign | roundShift((magnitude & 0x7fffff) | 0x800000, shift);
}

/** Brain-float pattern nearest to a float32 given by its bits, ties to even. */
export function bfloatOfFloat32Bits(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) & 0xffff) | 0x40; // NaN stays NaN, made quiet
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** `value / 2^shift`, rounded to nearest, ties to even. A carry into the exponent is the right next number. */
function roundShift(value: number, shift: number): number {
  const floor = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (floor & 1) === 1) ? floor + 1 : floor;
}
