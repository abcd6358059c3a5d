import { crc32 } from 'node:zlib';
import type { Fail } from '../data/fail';

export interface PngHeader {
  width: number;
  height: number;
  /** Bits of a sample: 1, 2, 4, 8, 16. */
  depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA. */
  colour: number;
  /** Samples of a pixel. */
  samples: number;
  interlaced: boolean;
}

/** The chunks that decide about pixels. Views into the file. */
export interface PngParts {
  header: PngHeader;
  /** RGB triples. */
  palette: Uint8Array | undefined;
  transparency: Uint8Array | undefined;
  /** One zlib stream, in parts. */
  idat: Uint8Array[];
  /** Where its first part begins in the file. */
  idatOffset: number;
}

export const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((b, i) => bytes[i] === b);
}

/** Depths that each colour type may have, and its samples per pixel (PNG specification, table 11.1). */
const colours: Record<number, { depths: number[]; samples: number }> = {
  0: { depths: [1, 2, 4, 8, 16], samples: 1 },
  2: { depths: [8, 16], samples: 3 },
  3: { depths: [1, 2, 4, 8], samples: 1 },
  4: { depths: [8, 16], samples: 2 },
  6: { depths: [8, 16], samples: 4 },
};

/** Checks the structure of a PNG file (everything but the compressed data) and finds its parts. Allocates nothing. */
export function pngParts(bytes: Uint8Array, fail: Fail): PngParts {
  if (!isPng(bytes)) fail(0, 'the PNG signature', hex(bytes.subarray(0, 8)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let header: PngHeader | undefined;
  let palette: Uint8Array | undefined;
  let transparency: Uint8Array | undefined;
  const idat: Uint8Array[] = [];
  let idatOffset = 0;
  let last = '';
  for (let at = SIGNATURE.length; last !== 'IEND'; ) {
    if (at + 12 > bytes.length) fail(bytes.length, 'a chunk', 'the end of the file');
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (!/^[A-Za-z]{4}$/.test(type))
      fail(at + 4, 'a chunk type of four letters', hex(bytes.subarray(at + 4, at + 8)));
    if (length > bytes.length - at - 12)
      fail(at, `${length} bytes of chunk ${type}`, `${bytes.length - at - 12}`);
    const stored = view.getUint32(at + 8 + length);
    const actual = crc32(bytes.subarray(at + 4, at + 8 + length));
    if (stored !== actual) fail(at + 8 + length, `checksum ${actual} of chunk ${type}`, `${stored}`);
    const data = bytes.subarray(at + 8, at + 8 + length);
    const wrong = (expected: string, received: string) => fail(at + 8, expected, received);
    if (!header && type !== 'IHDR') fail(at + 4, 'IHDR as the first chunk', type);
    switch (type) {
      case 'IHDR':
        if (header) fail(at + 4, 'one IHDR', 'a second one');
        header = pngHeader(data, wrong);
        break;
      case 'PLTE': {
        const most = 2 ** Math.min(header!.depth, 8);
        if (palette || idat.length || header!.colour === 0 || header!.colour === 4) {
          fail(at + 4, 'at most one PLTE, before IDAT, in a picture with colour', 'another');
        }
        if (length === 0 || length % 3 || length / 3 > most)
          wrong(`3 to ${3 * most} bytes of palette`, `${length}`);
        palette = data;
        break;
      }
      case 'tRNS': {
        const { colour } = header!;
        if (transparency || idat.length || colour > 3)
          fail(at + 4, 'at most one tRNS, before IDAT, without alpha', 'another');
        const fits =
          colour === 3 ? palette && length <= palette.length / 3 : length === (colour === 0 ? 2 : 6);
        if (!fits) wrong('a tRNS chunk that fits the colours', `${length} bytes`);
        transparency = data;
        break;
      }
      case 'IDAT':
        if (header!.colour === 3 && !palette) fail(at + 4, 'PLTE before IDAT', 'none');
        if (idat.length && last !== 'IDAT') fail(at + 4, 'IDAT chunks in a row', `${last} between them`);
        if (!idat.length) idatOffset = at + 8;
        idat.push(data);
        break;
      case 'IEND':
        if (length) wrong('an empty IEND', `${length} bytes`);
        break;
      default:
        if (type < 'a') fail(at + 4, 'known chunks, or unknown ones that may be passed over', type);
    }
    last = type;
    at += 12 + length;
  }
  if (!header || !idat.length) return fail(bytes.length, 'IDAT', 'none');
  return { header, palette, transparency, idat, idatOffset };
}

function pngHeader(data: Uint8Array, wrong: (expected: string, received: string) => never): PngHeader {
  if (data.length !== 13) wrong('13 bytes of IHDR', `${data.length}`);
  const view = new DataView(data.buffer, data.byteOffset, 13);
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  const [depth, colour, compression, filter, interlace] = data.subarray(8) as unknown as number[];
  if (width === 0 || height === 0 || width > 0x7fffffff || height > 0x7fffffff) {
    wrong('a size from 1 × 1 on', `${width} × ${height}`);
  }
  const { depths, samples } = colours[colour!] ?? wrong('colour type 0, 2, 3, 4 or 6', `${colour}`);
  if (!depths.includes(depth!)) wrong(`bit depth ${depths.join(', ')} of colour type ${colour}`, `${depth}`);
  if (compression !== 0 || filter !== 0) wrong('compression 0 and filter 0', `${compression} and ${filter}`);
  if (interlace !== 0 && interlace !== 1) wrong('interlace 0 or 1', `${interlace}`);
  return { width, height, depth: depth!, colour: colour!, samples, interlaced: interlace === 1 };
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((b) => b.toString(16).padStart(2, '0')).join(' ') || 'nothing';
}
