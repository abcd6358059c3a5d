import { deflateSync } from 'node:zlib';
import type { PngHeader } from '../../../src/node/images/png-chunks';
import { inflatedSize, pngPasses } from '../../../src/node/images/png-scanlines';
import { pngChunk } from '../../../src/node/images/png-writer';

/** An encoder for what the library's own never writes: any depth, palettes, Adam7, each filter in turn. */
export interface BuildOptions {
  header: PngHeader;
  /** One number per sample, `[height, width, samples]`. */
  values: ArrayLike<number>;
  palette?: Uint8Array;
  transparency?: Uint8Array;
  /** Filter of each row; by default one after the other. */
  filter?: (row: number) => number;
  /** Chunks before the data: pairs of type and data. */
  extra?: [string, Uint8Array][];
  /** IDAT chunks that the data are spread over. */
  parts?: number;
  /** Changes the inflated data before they are compressed. */
  spoil?: (raw: Uint8Array) => Uint8Array;
}

export const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export function ihdr(header: PngHeader): Uint8Array {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(header.width >>> 0, 0);
  data.writeUInt32BE(header.height >>> 0, 4);
  data.set([header.depth, header.colour, 0, 0, header.interlaced ? 1 : 0], 8);
  return data;
}

export function buildPng(options: BuildOptions): Uint8Array {
  const { header, palette, transparency, extra = [], parts = 1, spoil = (raw) => raw } = options;
  const data = deflateSync(spoil(scanlines(options)));
  const step = Math.ceil(data.length / parts);
  const chunks = [
    pngChunk('IHDR', ihdr(header)),
    ...extra.map(([type, content]) => pngChunk(type, content)),
    ...(palette ? [pngChunk('PLTE', palette)] : []),
    ...(transparency ? [pngChunk('tRNS', transparency)] : []),
    ...Array.from({ length: parts }, (_, i) => pngChunk('IDAT', data.subarray(i * step, (i + 1) * step))),
    pngChunk('IEND', new Uint8Array(0)),
  ];
  return new Uint8Array(Buffer.concat([SIGNATURE, ...chunks.flat()])); // a Buffer's slice would not copy
}

function scanlines({ header, values, filter = (row) => row % 5 }: BuildOptions): Uint8Array {
  const { depth, samples, width } = header;
  const passes = pngPasses(header);
  const raw = new Uint8Array(inflatedSize(passes));
  const pixelBytes = Math.max(1, (depth * samples) / 8);
  let at = 0;
  for (const pass of passes) {
    let above = new Uint8Array(pass.rowBytes);
    for (let y = 0; y < pass.height; y++) {
      const row = new Uint8Array(pass.rowBytes);
      for (let x = 0; x < pass.width; x++) {
        for (let c = 0; c < samples; c++) {
          const value = values[((pass.y + y * pass.dy) * width + pass.x + x * pass.dx) * samples + c]!;
          const bit = (x * samples + c) * depth;
          if (depth === 16) row.set([value >> 8, value & 255], bit / 8);
          else row[bit >> 3]! |= value << (8 - depth - (bit & 7));
        }
      }
      const type = filter(y);
      raw[at++] = type;
      for (let i = 0; i < row.length; i++) {
        const a = i < pixelBytes ? 0 : row[i - pixelBytes]!;
        const b = above[i]!;
        const c = i < pixelBytes ? 0 : above[i - pixelBytes]!;
        raw[at++] = row[i]! - [0, a, b, (a + b) >> 1, paeth(a, b, c)][type]!;
      }
      above = row;
    }
  }
  return raw;
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}
