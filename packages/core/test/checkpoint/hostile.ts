import fc from 'fast-check';
import { expect } from 'vitest';
import type { DiskDType, HostTensor, StateDict } from '../../src/checkpoint';
import { PoiesisError } from '../../src/errors';

/** What the runtime itself may allocate during a call, whatever the file. */
const SLACK = 64 * 1024;

/**
 * Runs a reader on a hostile file and demands: a value or a typed error, soon, and with no more binary memory than
 * four times the file's own size.
 */
export async function survive<T>(bytes: Uint8Array, read: () => T | Promise<T>): Promise<T | PoiesisError> {
  const before = process.memoryUsage().arrayBuffers;
  const start = performance.now();
  let outcome: T | PoiesisError;
  try {
    outcome = await read();
  } catch (error) {
    if (!PoiesisError.isInstance(error)) throw error;
    outcome = error;
  }
  const allocated = process.memoryUsage().arrayBuffers - before;
  expect(performance.now() - start, 'milliseconds').toBeLessThan(2000);
  expect(allocated, 'bytes allocated').toBeLessThanOrEqual(4 * bytes.byteLength + SLACK);
  return outcome;
}

const widths: Partial<Record<DiskDType, number>> = {
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F16: 2,
  BF16: 2,
  F32: 4,
  F64: 8,
  I64: 8,
};

/** Small tensors of any shape, with arbitrary bytes. */
export const tensors: fc.Arbitrary<HostTensor> = fc
  .record({
    dtype: fc.constantFrom(...(Object.keys(widths) as DiskDType[])),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    seed: fc.integer({ min: 0, max: 255 }),
  })
  .map(({ dtype, shape, seed }) => {
    const length = shape.reduce((n, size) => n * size, widths[dtype]!);
    return { dtype, shape, bytes: Uint8Array.from({ length }, (_, i) => (seed + 31 * i) & 255) };
  });

/** Names as people and attackers choose them. */
export const names = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    '',
    'a.b.weight',
    'metadata',
    '"',
    '\\',
    '\u2028',
    '😀',
  ),
);

export const states: fc.Arbitrary<StateDict> = fc
  .uniqueArray(fc.tuple(names, tensors), { selector: ([name]) => name, maxLength: 5 })
  .map((entries) => Object.fromEntries(entries));

export const texts: fc.Arbitrary<Record<string, string>> = fc
  .uniqueArray(fc.tuple(names, fc.string({ unit: 'grapheme', maxLength: 8 })), {
    selector: ([name]) => name,
    maxLength: 3,
  })
  .map((entries) => Object.fromEntries(entries));

/** One way of damaging a file. */
export type Damage = (bytes: Uint8Array) => Uint8Array;

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

export const truncation: fc.Arbitrary<Damage> = place.map(
  (at) => (bytes) => new Uint8Array(bytes.subarray(0, Math.floor(at * bytes.length))),
);

export const bitFlips: fc.Arbitrary<Damage> = fc
  .array(fc.tuple(place, fc.integer({ min: 0, max: 7 })), { minLength: 1, maxLength: 6 })
  .map((flips) => (bytes) => {
    const copy = new Uint8Array(bytes); // slice() of a Buffer would share
    for (const [at, bit] of flips) copy[Math.floor(at * copy.length)]! ^= 1 << bit;
    return copy;
  });

export const overwriting: fc.Arbitrary<Damage> = fc
  .tuple(place, fc.uint8Array({ minLength: 1, maxLength: 40 }))
  .map(([at, noise]) => (bytes) => {
    const copy = new Uint8Array(bytes); // slice() of a Buffer would share
    const start = Math.floor(at * copy.length);
    copy.set(noise.subarray(0, copy.length - start), start);
    return copy;
  });

export const growth: fc.Arbitrary<Damage> = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((noise) => (bytes) => new Uint8Array([...bytes, ...noise]));

/** Replaces the length of the header with one that lies. */
export const hostileLength: fc.Arbitrary<Damage> = fc
  .oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: 0n, max: 300n }),
    fc.constantFrom(
      0n,
      1n,
      99_999_999n,
      100_000_000n,
      2n ** 31n,
      2n ** 32n,
      2n ** 53n,
      2n ** 63n,
      2n ** 64n - 1n,
    ),
  )
  .map((length) => (bytes) => {
    const copy = new Uint8Array(Math.max(8, bytes.length));
    copy.set(bytes);
    new DataView(copy.buffer).setBigUint64(0, length, true);
    return copy;
  });
