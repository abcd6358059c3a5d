import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { loadFixture } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileFormatError, StorageError } from '../../../src/errors';
import { type HostImage, imageGrid } from '../../../src/images';
import { decodePng, encodePng, readImage, readPng, writePng } from '../../../src/node/images';
import type { PngHeader } from '../../../src/node/images/png-chunks';
import { pngChunk } from '../../../src/node/images/png-writer';
import { buildPng, ihdr, SIGNATURE } from './build-png';

interface FixtureCase {
  name: string;
  file: string;
  pixels: { width: number; height: number; channels: number; data: string };
}
const fixture = loadFixture(import.meta.url, '../../../fixtures/images.json');
const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poiesis-png-'));
});
afterAll(() => rm(folder, { recursive: true }));

const samplesOf: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const head = (colour: number, depth: number, interlaced = false, width = 13, height = 11): PngHeader => ({
  width,
  height,
  depth,
  colour,
  samples: samplesOf[colour]!,
  interlaced,
});
const valuesFor = ({ width, height, samples, depth }: PngHeader) =>
  Array.from({ length: width * height * samples }, (_, i) => Math.imul(i + 7, 0x9e3779b1) >>> (32 - depth));

describe('reading', () => {
  it.each<FixtureCase>(fixture.png)("Pillow's pixels: $name", async ({ file, pixels }) => {
    const { data, ...size } = await decodePng(bytes(file));
    expect(size).toEqual({ width: pixels.width, height: pixels.height, channels: pixels.channels });
    expect(Buffer.from(data).equals(Buffer.from(pixels.data, 'base64'))).toBe(true);
  });

  it('every colour type, depth, filter and interlace', async () => {
    for (const [colour, depths] of [
      [0, [1, 2, 4, 8, 16]],
      [2, [8, 16]],
      [4, [8, 16]],
      [6, [8, 16]],
    ] as const) {
      for (const depth of depths) {
        for (const interlaced of [false, true]) {
          for (const [width, height] of [
            [13, 11],
            [1, 1],
            [3, 2],
            [8, 8],
            [1, 9],
            [17, 1],
          ] as const) {
            const header = head(colour, depth, interlaced, width, height);
            const values = valuesFor(header);
            const image = await decodePng(buildPng({ header, values, parts: 1 + (width % 3) }));
            const expected = values.map((v) =>
              depth === 16 ? Math.round(v / 257) : (v * 255) / (2 ** depth - 1),
            );
            expect(image, `${colour} ${depth} ${interlaced} ${width}×${height}`).toEqual({
              width,
              height,
              channels: header.samples,
              data: Uint8Array.from(expected),
            });
          }
        }
      }
    }
  });

  it('palettes, with transparency and beyond their end', async () => {
    for (const depth of [1, 2, 4, 8]) {
      for (const interlaced of [false, true]) {
        const header = head(3, depth, interlaced);
        const values = valuesFor(header);
        const palette = Uint8Array.from({ length: 6 }, (_, i) => 10 * i + 5);
        const colour = (v: number) => (v > 1 ? [0, 0, 0] : [...palette.subarray(3 * v, 3 * v + 3)]);
        const opaque = await decodePng(buildPng({ header, values, palette }));
        expect([...opaque.data]).toEqual(values.flatMap(colour));
        const transparent = await decodePng(
          buildPng({ header, values, palette, transparency: Uint8Array.of(40) }),
        );
        expect(transparent.channels).toBe(4);
        expect([...transparent.data]).toEqual(values.flatMap((v) => [...colour(v), v === 0 ? 40 : 255]));
      }
    }
  });

  it('a transparent colour becomes alpha, compared at full depth', async () => {
    const header = { ...head(0, 16), width: 3, height: 1 };
    const grey = await decodePng(
      buildPng({ header, values: [0x1234, 0x1235, 0xffff], transparency: Uint8Array.of(0x12, 0x34) }),
    );
    expect(grey).toEqual({ width: 3, height: 1, channels: 2, data: Uint8Array.of(18, 0, 18, 255, 255, 255) });
    const rgb = await decodePng(
      buildPng({
        header: { ...head(2, 8), width: 2, height: 1 },
        values: [1, 2, 3, 1, 2, 4],
        transparency: Uint8Array.of(0, 1, 0, 2, 0, 3),
      }),
    );
    expect([...rgb.data]).toEqual([1, 2, 3, 0, 1, 2, 4, 255]);
  });

  it('converts to the channels asked for', async () => {
    const image = await decodePng(buildPng({ header: head(0, 8), values: valuesFor(head(0, 8)) }), {
      channels: 3,
    });
    expect(image.channels).toBe(3);
  });

  it('passes over unknown chunks and what follows the end', async () => {
    const header = head(0, 8);
    const values = valuesFor(header);
    const extra: [string, Uint8Array][] = [
      ['tEXt', new Uint8Array(99)],
      ['prIv', new Uint8Array(0)],
    ];
    const file = buildPng({ header, values, extra });
    const image = await decodePng(Buffer.concat([file, new Uint8Array(50)]));
    expect([...image.data]).toEqual(values);
  });
});

describe('writing', () => {
  it('comes back the same, folders made on the way', async () => {
    for (const channels of [1, 2, 3, 4] as const) {
      const data = Uint8Array.from({ length: 5 * 4 * channels }, (_, i) => (i * 37) % 256);
      const image: HostImage = { data, width: 5, height: 4, channels };
      const file = join(folder, `deep/er/${channels}.png`);
      await writePng(file, image);
      expect(await readPng(file)).toEqual(image);
      expect(await readImage(file)).toEqual(image);
    }
  });

  it('takes a promise of a picture, as imageGrid gives', async () => {
    const file = join(folder, 'grid.png');
    await writePng(file, imageGrid(tf.ones([4, 3, 3, 1])));
    expect(await readPng(file)).toMatchObject({ width: 12, height: 12, channels: 1 });
  });

  it('names what cannot be written', async () => {
    await writeFile(join(folder, 'file'), 'x');
    const image: HostImage = { data: new Uint8Array(1), width: 1, height: 1, channels: 1 };
    const error = await writePng(join(folder, 'file/x.png'), image).catch((e) => e);
    expect(StorageError.isInstance(error)).toBe(true);
    await expect(encodePng({ ...image, width: 2 })).rejects.toThrow('2 bytes (2 × 1 × 1)');
  });
});

describe('damaged files', () => {
  const header = head(2, 8);
  const values = valuesFor(header);
  const good = buildPng({ header, values });
  const rejects = async (data: Uint8Array, message: string | RegExp, offset?: number) => {
    const error = await decodePng(data, { file: 'bad.png' }).catch((e) => e);
    expect(FileFormatError.isInstance(error), String(error)).toBe(true);
    expect(error.message).toMatch(message);
    expect(error.file).toBe('bad.png');
    if (offset !== undefined) expect(error.offset).toBe(offset);
  };
  const chunk = (...chunks: [string, Uint8Array][]) =>
    Buffer.concat([SIGNATURE, ...chunks.flatMap(([type, data]) => pngChunk(type, data))]);
  const none = new Uint8Array(0);

  it('signature, truncation, checksums', async () => {
    await rejects(Buffer.from('not a picture'), 'expected the PNG signature, got 6e 6f 74', 0);
    await rejects(none, 'signature');
    for (let n = 8; n < good.length; n++) await rejects(good.subarray(0, n), /bytes of chunk|a chunk/);
    const flipped = good.slice();
    flipped[20]! ^= 1;
    await rejects(flipped, 'checksum', 29);
  });

  it('chunk order and content', async () => {
    const h = (changes: Partial<PngHeader>): [string, Uint8Array] => [
      'IHDR',
      ihdr({ ...header, ...changes }),
    ];
    await rejects(chunk(['IDAT', none]), 'IHDR as the first chunk');
    await rejects(chunk(['IHDR', new Uint8Array(12)]), '13 bytes of IHDR');
    await rejects(chunk(h({ width: 0 })), 'a size from 1 × 1 on, got 0 × 11');
    await rejects(chunk(h({ height: 2 ** 31 })), 'a size from');
    await rejects(chunk(h({ colour: 5 })), 'colour type');
    await rejects(chunk(h({ depth: 4 })), 'bit depth 8, 16 of colour type 2');
    await rejects(chunk(h({}), h({})), 'one IHDR');
    await rejects(chunk(h({}), ['IEND', none]), 'expected IDAT, got none');
    await rejects(chunk(h({}), ['ABCD', none]), 'known chunks');
    await rejects(chunk(h({}), ['ab1d', none]), 'four letters');
    await rejects(chunk(h({}), ['PLTE', new Uint8Array(4)]), 'bytes of palette');
    await rejects(chunk(h({ colour: 3 }), ['IDAT', none]), 'PLTE before IDAT');
    await rejects(chunk(h({ colour: 0 }), ['PLTE', new Uint8Array(3)]), 'at most one PLTE');
    await rejects(chunk(h({}), ['tRNS', new Uint8Array(5)]), 'a tRNS chunk that fits');
    await rejects(chunk(h({ colour: 6 }), ['tRNS', none]), 'at most one tRNS');
    await rejects(chunk(h({}), ['IDAT', none], ['tEXt', none], ['IDAT', none]), 'IDAT chunks in a row');
    await rejects(chunk(h({}), ['IDAT', none], ['IEND', Uint8Array.of(1)]), 'an empty IEND');
  });

  it('data that are too few, too many, not zlib, or filtered unheard-of', async () => {
    await rejects(
      buildPng({ header, values, spoil: (raw) => raw.subarray(0, -1) }),
      `inflate to ${11 * 40} bytes, got 439`,
    );
    await rejects(
      buildPng({ header, values, spoil: (raw) => Buffer.concat([raw, none, Uint8Array.of(0)]) }),
      'got more',
    );
    await rejects(buildPng({ header, values, spoil: (raw) => raw.fill(5, 40, 41) }), 'got 5 at byte 40 of');
    const interlaced = { ...header, interlaced: true };
    await rejects(
      buildPng({ header: interlaced, values, spoil: (raw) => raw.fill(9, 7, 8) }),
      'got 9 at byte 7 of',
    );
    await rejects(
      chunk(['IHDR', ihdr(header)], ['IDAT', Buffer.from('no zlib')], ['IEND', none]),
      'a zlib header',
    );
    const cut = deflateSync(new Uint8Array(440)).subarray(0, -5);
    await rejects(
      chunk(['IHDR', ihdr(header)], ['IDAT', cut], ['IEND', none]),
      'deflate data with an end, got none',
    );
  });

  it('bombs: no memory is taken for what a file pretends or inflates to', async () => {
    const zeros = deflateSync(new Uint8Array(64 << 20));
    const lying = (changes: Partial<PngHeader>) =>
      chunk(['IHDR', ihdr({ ...header, ...changes })], ['IDAT', zeros], ['IEND', none]);
    const files = [
      lying({ width: 9000, height: 9000 }), // promises more than there is
      lying({}), // inflates to more than it promises
      lying({ width: 1 << 20, height: 1 << 20 }),
    ];
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    }, 1);
    await rejects(files[0]!, `inflate to ${9000 * 27001} bytes, got ${64 << 20}`);
    await rejects(files[1]!, 'inflate to 440 bytes, got more');
    await rejects(files[2]!, 'at most 100000000 pixels, got 1048576 × 1048576', 16);
    clearInterval(watch);
    expect(peak).toBeLessThan(4 * zeros.length + (1 << 20));
  });

  it('says which file', async () => {
    await expect(readPng(join(folder, 'none.png'))).rejects.toThrow('none.png: cannot read: no such file');
    const file = join(folder, 'text.png');
    await writeFile(file, 'hello');
    await expect(readImage(file)).rejects.toThrow(
      `${file} at byte 0: expected a PNG or JPEG file, got 68 65 6c 6c 6f`,
    );
    await expect(decodePng(good, { maxPixels: 100 })).rejects.toThrow('at most 100 pixels');
  });
});
