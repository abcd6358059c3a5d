/**
 * Threefry-2x32-20 (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011): a keyed
 * bijection of 64-bit counters in twenty rounds of 32-bit add, rotate and xor. Integer arithmetic only, so the bits
 * are the same on every machine; JAX's default generator is the same function.
 *
 * Counter layout. The counter is the word pair (x0, x1); the two top bits of x1 keep purposes apart, so that a draw
 * never sees the bits that a derived key is made of:
 *
 * | purpose                      | x0                    | x1                          |
 * |------------------------------|-----------------------|-----------------------------|
 * | words 2i and 2i + 1 of draws | i (low 32 bits)       | 0x00000000 + high bits of i |
 * | child i of `split`           | i                     | 0x40000000                  |
 * | `fold(data)`                 | data (low 32 bits)    | 0x80000000 + high 21 bits   |
 */
export const SPLIT_DOMAIN = 0x40000000;
export const FOLD_DOMAIN = 0x80000000;

export const PARITY = 0x1bd11bda;

/** Encrypts one counter: two unsigned 32-bit words. */
export function threefry2x32(k0: number, k1: number, x0: number, x1: number): [number, number] {
  const out = new Int32Array(2);
  encrypt(k0 | 0, k1 | 0, x0 | 0, x1 | 0, out, 0);
  return [out[0]! >>> 0, out[1]! >>> 0];
}

/** Fills `out` with the words from `first` on, an even number, of the stream of key (k0, k1). */
export function fillWords(k0: number, k1: number, out: Int32Array, first = 0, length = out.length): void {
  const low = k0 | 0;
  const high = k1 | 0;
  const block = first / 2;
  const whole = length >>> 1;
  for (let i = 0; i < whole; i++) {
    const counter = block + i;
    encrypt(low, high, counter | 0, (counter / 0x100000000) | 0, out, 2 * i);
  }
  if (length & 1) {
    const counter = block + whole;
    out[length - 1] = threefry2x32(low, high, counter | 0, (counter / 0x100000000) | 0)[0];
  }
}

// Unrolled, in signed 32-bit arithmetic that engines keep in registers: about ten times as fast as a loop over a
// table of rotations.
function encrypt(k0: number, k1: number, x0: number, x1: number, out: Int32Array, at: number): void {
  const k2 = k0 ^ k1 ^ PARITY;
  let a = (x0 + k0) | 0;
  let b = (x1 + k1) | 0;

  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + k1) | 0;
  b = (b + k2 + 1) | 0;

  a = (a + b) | 0;
  b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0;
  b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0;
  b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0;
  b = ((b << 24) | (b >>> 8)) ^ a;
  a = (a + k2) | 0;
  b = (b + k0 + 2) | 0;

  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + k0) | 0;
  b = (b + k1 + 3) | 0;

  a = (a + b) | 0;
  b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0;
  b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0;
  b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0;
  b = ((b << 24) | (b >>> 8)) ^ a;
  a = (a + k1) | 0;
  b = (b + k2 + 4) | 0;

  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  out[at] = (a + k2) | 0;
  out[at + 1] = (b + k0 + 5) | 0;
}
