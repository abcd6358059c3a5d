import { walkDeflate } from '../data/deflate';
import type { Fail } from '../data/fail';
import type { PngHeader, PngParts } from './png-chunks';

/** A picture's pixels come as one pass, or as the seven of Adam7: each a picture of every so many pixels. */
export interface PngPass {
  /** First column and row. */
  x: number;
  y: number;
  /** Steps between columns and rows. */
  dx: number;
  dy: number;
  width: number;
  height: number;
  /** Bytes of a row, without the byte before it that names its filter. */
  rowBytes: number;
}

const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** The passes that have pixels. */
export function pngPasses({ width, height, depth, samples, interlaced }: PngHeader): PngPass[] {
  const steps = interlaced ? ADAM7 : ([[0, 0, 1, 1]] as const);
  return steps
    .map(([x, y, dx, dy]) => {
      const w = Math.ceil((width - x) / dx);
      return {
        x,
        y,
        dx,
        dy,
        width: w,
        height: Math.ceil((height - y) / dy),
        rowBytes: Math.ceil((w * depth * samples) / 8),
      };
    })
    .filter((pass) => pass.width > 0 && pass.height > 0);
}

/** Bytes that the pixels inflate to. */
export function inflatedSize(passes: readonly PngPass[]): number {
  return passes.reduce((sum, { height, rowBytes }) => sum + height * (rowBytes + 1), 0);
}

/**
 * Walks the compressed pixels, counting them, looking at the filter bytes and keeping nothing: whatever a file inflates
 * to, or pretends to, costs no memory. Stops at the first byte too many.
 */
export function checkInflated({ header, idat, idatOffset }: PngParts, fail: Fail): void {
  const passes = pngPasses(header);
  const expected = inflatedSize(passes);
  let count = 0;
  let filterAt = 0;
  let pass = 0;
  let row = 0;
  let checksum = 1;
  const look = (piece: Uint8Array) => {
    while (filterAt < count + piece.length && pass < passes.length) {
      const filter = piece[filterAt - count]!;
      if (filter > 4)
        fail(idatOffset, 'scanline filters 0 to 4', `${filter} at byte ${filterAt} of the inflated data`);
      filterAt += passes[pass]!.rowBytes + 1;
      if (++row === passes[pass]!.height) {
        row = 0;
        pass++;
      }
    }
    count += piece.length;
    if (count > expected) fail(idatOffset, `data that inflate to ${expected} bytes`, 'more');
    checksum = adler32(piece, checksum);
  };
  // Where the data are in several chunks, places in them are places of the file only roughly.
  const data = idat.length === 1 ? idat[0]! : Buffer.concat(idat);
  const [method = 0, flags = 0] = data;
  const known =
    (method & 15) === 8 && method >> 4 <= 7 && (method * 256 + flags) % 31 === 0 && (flags & 32) === 0;
  if (!known) fail(idatOffset, 'a zlib header', `${method} and ${flags}`);
  const end = walkDeflate(data, 2, look, fail, idatOffset);
  if (count !== expected) fail(idatOffset, `data that inflate to ${expected} bytes`, `${count}`);
  if (end + 4 > data.length)
    fail(idatOffset + data.length, 'the checksum of the pixels', 'the end of the data');
  const stored = new DataView(data.buffer, data.byteOffset + end, 4).getUint32(0);
  if (stored !== checksum) fail(idatOffset + end, `checksum ${checksum} of the pixels`, `${stored}`);
}

/** The checksum of RFC 1950, going on from that of what came before. */
function adler32(bytes: Uint8Array, before: number): number {
  let a = before & 0xffff;
  let b = before >>> 16;
  for (let start = 0; start < bytes.length; start += 5552) {
    const end = Math.min(start + 5552, bytes.length); // so far b stays below 2³²
    for (let i = start; i < end; i++) {
      a += bytes[i]!;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return b * 65536 + a;
}
