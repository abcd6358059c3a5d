import { crc32 } from 'node:zlib';
import { type PngHeader, SIGNATURE } from './png-chunks';

/** A PNG file of a header and compressed pixels, without any other chunk. */
export function pngFile(header: PngHeader, idat: readonly Uint8Array[]): Uint8Array {
  const ihdr = new Uint8Array(13);
  const view = new DataView(ihdr.buffer);
  view.setUint32(0, header.width);
  view.setUint32(4, header.height);
  ihdr.set([header.depth, header.colour, 0, 0, header.interlaced ? 1 : 0], 8);
  return Buffer.concat([
    SIGNATURE,
    ...pngChunk('IHDR', ihdr),
    ...idat.flatMap((data) => pngChunk('IDAT', data)),
    ...pngChunk('IEND', new Uint8Array(0)),
  ]);
}

/** A chunk in three parts: length and type, data, checksum. */
export function pngChunk(type: string, data: Uint8Array): [Uint8Array, Uint8Array, Uint8Array] {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length);
  head.write(type, 4, 'latin1');
  const tail = Buffer.alloc(4);
  const start = crc32(head.subarray(4));
  tail.writeUInt32BE(data.length === 0 ? start : crc32(data, start)); // of nothing, Node's crc32 is 0 whatever came before
  return [head, data, tail];
}
