import { deflateSync } from 'node:zlib';
import { loadFixture } from '@poiesis/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PoiesisError } from '../../../src/errors';
import { decodeImage } from '../../../src/node/images';
import type { PngHeader } from '../../../src/node/images/png-chunks';
import { pngChunk } from '../../../src/node/images/png-writer';
import { buildPng, ihdr, SIGNATURE } from './build-png';

const fixture = loadFixture(import.meta.url, '../../../fixtures/images.json');
const samplesOf: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

async function refused(file: Uint8Array): Promise<boolean> {
  try {
    const { data, width, height, channels } = await decodeImage(file);
    expect(data.length).toBe(width * height * channels);
    return false;
  } catch (error) {
    if (PoiesisError.isInstance(error)) return true;
    throw error;
  }
}

const header: fc.Arbitrary<PngHeader> = fc
  .tuple(
    fc.constantFrom(
      [0, 1],
      [0, 2],
      [0, 8],
      [0, 16],
      [2, 8],
      [2, 16],
      [3, 4],
      [3, 8],
      [4, 8],
      [6, 8],
      [6, 16],
    ),
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: 20 }),
    fc.boolean(),
  )
  .map(([[colour, depth], width, height, interlaced]) => ({
    colour: colour!,
    depth: depth!,
    width,
    height,
    interlaced,
    samples: samplesOf[colour!]!,
  }));

/** Pictures whose checksums are right and whose content may not be: it is the decoder's turn then. */
const crafted = fc
  .record({
    header,
    shown: fc.record(
      {
        width: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        height: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        depth: fc.constantFrom(1, 2, 3, 4, 8, 16),
        colour: fc.nat(7),
        interlaced: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
    palette: fc.option(fc.nat(20).map((n) => new Uint8Array(3 * n + (n === 7 ? 1 : 0)))),
    transparency: fc.option(fc.uint8Array({ maxLength: 8 })),
    filter: fc.option(fc.nat(6)),
    length: fc.integer({ min: -30, max: 30 }),
    zeros: fc.constantFrom(0, 0, 0, 100, 100_000),
    extra: fc.constantFrom<[string, Uint8Array][]>(
      [],
      [],
      [['tEXt', new Uint8Array(5)]],
      [['IDAT', new Uint8Array(3)]],
    ),
  })
  .map(({ header, shown, palette, transparency, filter, length, zeros, extra }) =>
    buildPng({
      header,
      values: new Uint8Array(header.width * header.height * header.samples),
      palette: palette ?? (header.colour === 3 ? new Uint8Array(9) : undefined),
      transparency: transparency ?? undefined,
      filter: filter === null ? undefined : () => Math.min(filter, 4),
      extra: [
        ...(Object.keys(shown).length
          ? [['IHDR', ihdr({ ...header, ...shown })] as [string, Uint8Array]]
          : []),
        ...extra,
      ],
      spoil: (raw) =>
        filter !== null && filter > 4
          ? raw.fill(filter, 0, 1)
          : Buffer.concat([
              raw.subarray(0, length < 0 ? length : undefined),
              new Uint8Array(Math.max(0, length) + zeros),
            ]),
    }),
  )
  // A second header would end it there: the changed one takes the place of the first.
  .map((file) =>
    Buffer.from(file).indexOf('IHDR', 20) === 37 ? Buffer.concat([SIGNATURE, file.subarray(33)]) : file,
  );

/** A file that was good once. */
function damaged(files: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  return fc
    .tuple(files, fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.option(place))
    .map(([good, changes, end]) => {
      const bytes = Uint8Array.from(good);
      for (const [at, value] of changes) bytes[Math.floor(at * bytes.length)] = value;
      return end === null ? bytes : bytes.subarray(0, Math.floor(end * bytes.length));
    });
}

describe('malformed pictures give typed errors', () => {
  it('PNG, 1200 of them, without memory for what they promise', async () => {
    const good = header.map((h) => {
      const palette = h.colour === 3 ? new Uint8Array(12) : undefined;
      return buildPng({ header: h, values: new Uint8Array(h.width * h.height * h.samples), palette });
    });
    const lying = fc
      .tuple(header, fc.nat(300_000))
      .map(([h, n]) =>
        Buffer.concat([
          SIGNATURE,
          ...pngChunk('IHDR', ihdr({ ...h, width: 1000 * h.width })),
          ...pngChunk('PLTE', new Uint8Array(3)),
          ...pngChunk('IDAT', deflateSync(new Uint8Array(n))),
          ...pngChunk('IEND', new Uint8Array(0)),
        ]),
      );
    await decodeImage(fc.sample(good, 1)[0]!); // loads the library
    let refusals = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(crafted, crafted, damaged(good), lying), async (file) => {
        const before = process.memoryUsage().arrayBuffers;
        const wasRefused = await refused(file);
        const taken = process.memoryUsage().arrayBuffers - before;
        if (!wasRefused) return;
        refusals++;
        // Memory that was taken and let go counts too. 8 kB: Node hands out small buffers from blocks of that size.
        expect(taken).toBeLessThanOrEqual(4 * file.length + 8192);
      }),
      { numRuns: 1200 },
    );
    expect(refusals).toBeGreaterThan(500);
  });

  it('JPEG, 400 of them', async () => {
    const good = fc.constantFrom(
      ...fixture.jpeg.map(({ file }: { file: string }) => new Uint8Array(Buffer.from(file, 'base64'))),
    ) as fc.Arbitrary<Uint8Array>;
    let refusals = 0;
    await fc.assert(
      fc.asyncProperty(damaged(good), async (file) => {
        if (await refused(file)) refusals++;
      }),
      { numRuns: 400 },
    );
    expect(refusals).toBeGreaterThan(100);
  });

  it('anything at all, 300 of them', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(SIGNATURE, Uint8Array.of(0xff, 0xd8, 0xff), new Uint8Array(0)),
        fc.uint8Array({ maxLength: 200 }),
        async (start, rest) => {
          expect(await refused(Buffer.concat([start, rest]))).toBe(true);
        },
      ),
      { numRuns: 300 },
    ));
});
