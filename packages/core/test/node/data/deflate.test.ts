import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileFormatError } from '../../../src/errors';
import { walkDeflate } from '../../../src/node/data/deflate';
import { failIn } from '../../../src/node/data/fail';

function walk(bytes: Uint8Array, start = 0) {
  const pieces: Uint8Array[] = [];
  const end = walkDeflate(bytes, start, (piece) => pieces.push(piece.slice()), failIn('data'));
  return { content: Buffer.concat(pieces), end };
}

/** Content with repetitions near and far, so that all kinds of codes come up. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.nat(255), fc.nat(70_000)).map(([v, n]) => new Uint8Array(n).fill(v)),
      fc.string({ maxLength: 400 }).map((s) => new TextEncoder().encode(s.repeat(5))),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.concat(parts));
const settings = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FIXED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
  ),
  windowBits: fc.integer({ min: 9, max: 15 }),
});

describe('walkDeflate', () => {
  it('shows what zlib inflates, and finds the end', () => {
    fc.assert(
      fc.property(content, settings, fc.uint8Array({ maxLength: 9 }), (plain, options, rest) => {
        const stream = deflateRawSync(plain, options);
        const { content, end } = walk(Buffer.concat([rest, stream, rest]), rest.length);
        expect(content.equals(plain)).toBe(true);
        expect(end).toBe(rest.length + stream.length);
      }),
      { numRuns: 150 },
    );
  });

  it('accepts what zlib accepts, and nothing else', () => {
    let accepted = 0;
    let refused = 0;
    const agree = (stream: Uint8Array) => {
      let expected: Buffer | undefined;
      try {
        expected = inflateRawSync(stream, { maxOutputLength: 1 << 24 });
      } catch {}
      let found: Buffer | undefined;
      try {
        found = walk(stream).content;
      } catch (error) {
        if (!FileFormatError.isInstance(error)) throw error;
      }
      expect(found === undefined).toBe(expected === undefined);
      if (expected) expect(found!.equals(expected)).toBe(true);
      expected ? accepted++ : refused++;
    };
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 2000 }),
        settings,
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), { maxLength: 2 }),
        fc.boolean(),
        (plain, options, changes, cut) => {
          const small = plain.map((v, i) => (i % 3 ? v % 11 : 5));
          const stream = Uint8Array.from(deflateRawSync(small, options));
          // The beginning, where the codes are, more often than the rest.
          for (const [place, value] of changes) stream[Math.floor(place ** 3 * (stream.length - 1))] = value;
          agree(cut ? stream.subarray(0, -3) : stream);
        },
      ),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), agree), { numRuns: 2000 });
    expect(accepted).toBeGreaterThan(200);
    expect(refused).toBeGreaterThan(200);
  });

  it('says where and what', () => {
    expect(() => walk(Uint8Array.of(7))).toThrow(
      'data at byte 1: expected deflate data with a block of kind 0, 1 or 2, got 3',
    );
    expect(() => walk(new Uint8Array(0))).toThrow('expected deflate data with an end, got none');
    expect(() => walk(Uint8Array.of(1, 5, 0, 5, 0))).toThrow('a length and its complement');
    expect(() => walk(Uint8Array.of(1, 5, 0, 0xfa, 0xff, 1))).toThrow('an end');
  });
});
