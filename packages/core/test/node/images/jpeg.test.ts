import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadFixture } from '@poiesis/testing';
import { describe, expect, it } from 'vitest';
import { FileFormatError } from '../../../src/errors';
import type { HostImage } from '../../../src/images';
import { decodeImage, decodeJpeg, encodeJpeg, readJpeg, writeJpeg } from '../../../src/node/images';

interface FixtureCase {
  name: string;
  file: string;
  pixels: { width: number; height: number; channels: number; data: string };
}
const fixture = loadFixture(import.meta.url, '../../../fixtures/images.json');
const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
const caseOf = (name: string) => fixture.jpeg.find((c: FixtureCase) => c.name === name);

function difference(a: Uint8Array, b: Uint8Array) {
  let worst = 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i]! - b[i]!);
    worst = Math.max(worst, d);
    sum += d;
  }
  return { worst, mean: sum / a.length };
}

describe('reading', () => {
  it.each<FixtureCase>(fixture.jpeg)("near Pillow's pixels: $name", ({ name, file, pixels }) => {
    const image = decodeJpeg(bytes(file));
    expect([image.width, image.height, image.channels]).toEqual([
      pixels.width,
      pixels.height,
      pixels.channels,
    ]);
    const { worst, mean } = difference(image.data, bytes(pixels.data));
    // Without subsampling the two differ by rounding. With it, Pillow's library interpolates colour between its
    // samples, jpeg-js takes the nearest one.
    const exact = /4:4:4|grey/.test(name);
    expect(worst).toBeLessThanOrEqual(exact ? 3 : 12);
    expect(mean).toBeLessThan(exact ? 0.6 : 3);
  });
});

describe('writing', () => {
  it('comes back about the same', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'poiesis-jpeg-'));
    const data = Uint8Array.from({ length: 32 * 24 * 3 }, (_, i) => 128 + 100 * Math.sin(i / 200));
    const image: HostImage = { data, width: 32, height: 24, channels: 3 };
    const file = join(folder, 'a/b.jpg');
    await writeJpeg(file, image, { quality: 95 });
    const back = await readJpeg(file);
    expect({ ...back, data: 0 }).toEqual({ ...image, data: 0 });
    expect(difference(back.data, data).mean).toBeLessThan(2);
    await rm(folder, { recursive: true });
  });

  it('names wrong arguments', () => {
    const image: HostImage = { data: new Uint8Array(3), width: 1, height: 1, channels: 3 };
    expect(() => encodeJpeg(image, { quality: 0 })).toThrow('encodeJpeg(options.quality)');
    expect(() => encodeJpeg({ data: new Uint8Array(65536), width: 65536, height: 1, channels: 1 })).toThrow(
      '65535',
    );
  });
});

describe('damaged files', () => {
  const good = bytes(caseOf('4:2:0').file);
  const rejects = (data: Uint8Array, message: string | RegExp) => {
    let error: unknown;
    try {
      decodeJpeg(data, { file: 'bad.jpg' });
    } catch (e) {
      error = e;
    }
    expect(FileFormatError.isInstance(error), String(error)).toBe(true);
    expect((error as FileFormatError).message).toMatch(message);
    expect((error as FileFormatError).file).toBe('bad.jpg');
  };
  /** Where a segment's marker is. */
  const find = (data: Uint8Array, marker: number) => Buffer.from(data).indexOf(Uint8Array.of(0xff, marker));
  const changed = (edit: (data: Uint8Array) => void) => {
    const data = good.slice();
    edit(data);
    return data;
  };

  it('truncated anywhere', () => {
    for (let n = 0; n < good.length; n++) rejects(good.subarray(0, n), /bad\.jpg at byte/);
  });

  it('of a kind that is not read', () => {
    const sof = find(good, 0xc0);
    rejects(Buffer.from('GIF89a'), 'signature');
    rejects(
      changed((d) => d.set([0xc9], sof + 1)),
      'SOF9',
    );
    rejects(
      changed((d) => d.set([12], sof + 4)),
      '8 bits a sample, got 12',
    );
    rejects(
      changed((d) => d.set([0, 0], sof + 5)),
      'a size from 1 × 1 on',
    );
    rejects(
      changed((d) => d.set([2], sof + 9)),
      'a frame header',
    );
    rejects(
      changed((d) => d.set([0x51], sof + 11)),
      'sampling factors',
    );
  });

  it('larger on paper than its data can be', () => {
    const sof = find(good, 0xc0);
    rejects(
      changed((d) => d.set([0xff, 0xff, 0xff, 0xff], sof + 5)),
      /at least \d+ bytes of scan/,
    );
    rejects(
      changed((d) => d.set([4, 0, 4, 0], sof + 5)),
      'at least 6144 bytes of scan',
    );
    expect(() => decodeJpeg(good, { maxPixels: 10 })).toThrow('at most 10 pixels, got 35 × 27');
  });

  it('with tables that are no codes, or none', () => {
    const dht = find(good, 0xc4);
    rejects(
      changed((d) => d.set([3], dht + 5)),
      'too many codes of 1 bits',
    );
    rejects(
      changed((d) => d.set([0x33], dht + 4)),
      'DC or AC Huffman table',
    );
    const dqt = find(good, 0xdb);
    rejects(
      changed((d) => d.set([0x29], dqt + 4)),
      'quantization table',
    );
    rejects(
      changed((d) => d.set([0xfe], dqt + 1)),
      'expected quantization table 0, got none',
    );
    const sos = find(good, 0xda);
    rejects(
      changed((d) => d.set([9], sos + 5)),
      'a component of the frame, got 9',
    );
    rejects(
      changed((d) => d.set([0x33], sos + 6)),
      'DC Huffman table 3, got none',
    );
  });

  it('with more scans than make sense', () => {
    const progressive = bytes(caseOf('progressive').file);
    const last = Buffer.from(progressive).lastIndexOf(Uint8Array.of(0xff, 0xda));
    const scan = progressive.subarray(last, -2);
    const many = Array.from({ length: 120 }, () => scan);
    rejects(
      Buffer.concat([progressive.subarray(0, -2), ...many, progressive.subarray(-2)]),
      'at most 100 scans',
    );
  });

  it('ignores what follows the end', async () => {
    expect(await decodeImage(Buffer.concat([good, new Uint8Array(30)]))).toEqual(decodeJpeg(good));
  });
});
