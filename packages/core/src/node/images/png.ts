import { deflateSync, inflateSync } from 'node:zlib';
import { checkImage, type HostImage } from '../../images';
import { failIn } from '../data/fail';
import {
  checkPixels,
  type DecodeImageOptions,
  type ReadImageOptions,
  readFileBytes,
  withChannels,
  writeFileBytes,
} from './files';
import { type PngHeader, type PngParts, pngParts } from './png-chunks';
import { toImage, unpack } from './png-pixels';
import { checkInflated, inflatedSize, pngPasses } from './png-scanlines';
import { pngFile } from './png-writer';

/**
 * Reads a PNG file: grey, palette, colour, alpha, 1 to 16 bits, interlaced or not. Wider samples are rounded to 8
 * bits; a palette or a transparent colour gives RGB or an alpha channel. Gamma and colour profiles are ignored.
 * @throws FileFormatError where the file is damaged or not a PNG, before anything of the picture's size is allocated.
 *   StorageError where it cannot be read.
 */
export async function readPng(file: string, options: ReadImageOptions = {}): Promise<HostImage> {
  return decodePng(await readFileBytes(file), { ...options, file });
}

/** Decodes the content of a PNG file, see `readPng`. */
export async function decodePng(
  bytes: Uint8Array,
  { file = 'PNG data', channels, maxPixels }: DecodeImageOptions = {},
): Promise<HostImage> {
  const fail = failIn(file);
  const parts = pngParts(bytes, fail);
  const { header } = parts;
  checkPixels(16, header.width, header.height, maxPixels, fail);
  checkInflated(parts, fail);
  let image: HostImage;
  try {
    if (header.interlaced && header.depth < 8) {
      image = toImage(await packedPasses(parts), parts);
    } else {
      const samples = await decode(header, parts.idat);
      const packed = header.depth < 8;
      image = toImage(packed ? unpack(samples, header.width, header.height, header.depth) : samples, parts);
    }
  } catch (cause) {
    return fail(parts.idatOffset, 'pixels', (cause as Error).message, cause);
  }
  return withChannels(image, channels);
}

/**
 * Writes a PNG file of 8 bits a channel, and the folders that it needs:
 * `await writePng('faces.png', imageGrid(model.sample(16, { seed: 7 })))`.
 * @throws ArgumentError for what is no picture, StorageError where the file cannot be written.
 */
export async function writePng(file: string, image: HostImage | Promise<HostImage>): Promise<void> {
  await writeFileBytes(file, await encodePng(await image));
}

/** The content of a PNG file. */
export async function encodePng(image: HostImage): Promise<Uint8Array> {
  checkImage('encodePng', 'image', image);
  const { encode } = await import('fast-png');
  const { data, width, height, channels } = image;
  return encode({ data, width, height, channels, depth: 8 });
}

/**
 * Unfilters the samples of a picture by fast-png (loaded when needed: it is ESM only). The library sees the header and
 * the pixels and nothing else; what a palette and a transparent colour mean is decided here.
 */
async function decode(header: PngHeader, idat: readonly Uint8Array[]): Promise<Uint8Array | Uint16Array> {
  const { decode } = await import('fast-png');
  return decode(pngFile(header, idat)).data as Uint8Array | Uint16Array;
}

/** fast-png takes Adam7 with less than 8 bits for one sample per byte: each pass goes through it as a picture. */
async function packedPasses({ header, idat }: PngParts): Promise<Uint8Array> {
  const { width, height, depth } = header;
  const samples = new Uint8Array(width * height);
  const passes = pngPasses(header);
  const inflated = inflateSync(Buffer.concat(idat), { maxOutputLength: inflatedSize(passes) });
  let at = 0;
  for (const pass of passes) {
    const bytes = inflated.subarray(at, at + pass.height * (pass.rowBytes + 1));
    at += bytes.length;
    const size = { width: pass.width, height: pass.height };
    const packed = await decode({ ...header, ...size, interlaced: false }, [
      deflateSync(bytes, { level: 0 }),
    ]);
    const part = unpack(packed, pass.width, pass.height, depth);
    for (let y = 0, i = 0; y < pass.height; y++) {
      let o = (pass.y + y * pass.dy) * width + pass.x;
      for (let x = 0; x < pass.width; x++, o += pass.dx) samples[o] = part[i++]!;
    }
  }
  return samples;
}
