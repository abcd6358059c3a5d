import * as codec from 'jpeg-js';
import { checkArgument } from '../../errors';
import { checkImage, convertChannels, type HostImage } from '../../images';
import { failIn } from '../data/fail';
import {
  checkPixels,
  type DecodeImageOptions,
  type ReadImageOptions,
  readFileBytes,
  withChannels,
  writeFileBytes,
} from './files';
import { jpegFrame } from './jpeg-structure';

/**
 * Reads a JPEG file, baseline or progressive: grey or RGB (CMYK is converted). The rotation that a camera notes beside
 * the picture is ignored, as by Pillow's `open`.
 * @throws FileFormatError where the file is damaged, of an unsupported kind or not a JPEG; its structure is checked, and
 *   that its data can fill its size, before anything of that size is allocated. StorageError where it cannot be read.
 */
export async function readJpeg(file: string, options: ReadImageOptions = {}): Promise<HostImage> {
  return decodeJpeg(await readFileBytes(file), { ...options, file });
}

/**
 * The checks that `decodeJpeg` makes before it decodes, for another decoder to be called after them.
 * @returns size and number of components: 1 is grey, 3 colour, 4 CMYK.
 */
export function checkJpeg(
  bytes: Uint8Array,
  { file = 'JPEG data', maxPixels }: Omit<DecodeImageOptions, 'channels'> = {},
): { width: number; height: number; components: number; offset: number } {
  const fail = failIn(file);
  const { width, height, components, offset } = jpegFrame(bytes, fail);
  checkPixels(offset, width, height, maxPixels, fail);
  return { width, height, components: components.length, offset };
}

/** Decodes the content of a JPEG file, see `readJpeg`. */
export function decodeJpeg(
  bytes: Uint8Array,
  { file = 'JPEG data', channels, maxPixels }: DecodeImageOptions = {},
): HostImage {
  const { width, height, components, offset } = checkJpeg(bytes, { file, maxPixels });
  let data: Uint8Array;
  try {
    data = codec.decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      maxResolutionInMP: Number.POSITIVE_INFINITY, // checked above
      maxMemoryUsageInMB: Number.POSITIVE_INFINITY,
    }).data;
  } catch (cause) {
    return failIn(file)(offset, 'JPEG data', (cause as Error).message, cause);
  }
  const rgb: HostImage = { data, width, height, channels: 3 };
  if (components > 1) return withChannels(rgb, channels);
  // The codec writes grey three times; grey of equal channels is the channel.
  return withChannels({ ...rgb, data: data.filter((_, i) => i % 3 === 0), channels: 1 }, channels);
}

/** How JPEG files are written. */
export interface WriteJpegOptions {
  /** 1 to 100. Default 90. */
  quality?: number;
}

/**
 * Writes a JPEG file, and the folders that it needs. Grey is written as colour; alpha is dropped.
 * @throws ArgumentError for what is no picture, StorageError where the file cannot be written.
 */
export async function writeJpeg(
  file: string,
  image: HostImage | Promise<HostImage>,
  options: WriteJpegOptions = {},
): Promise<void> {
  await writeFileBytes(file, encodeJpeg(await image, options));
}

/** The content of a JPEG file. */
export function encodeJpeg(image: HostImage, { quality = 90 }: WriteJpegOptions = {}): Uint8Array {
  checkImage('encodeJpeg', 'image', image);
  checkArgument(quality >= 1 && quality <= 100, 'encodeJpeg', 'options.quality', '1 to 100', quality);
  const { width, height } = image;
  const expected = 'at most 65535 pixels on each side';
  checkArgument(width <= 65535 && height <= 65535, 'encodeJpeg', 'image', expected, [width, height]);
  return codec.encode({ width, height, data: convertChannels(image, 4).data }, quality).data;
}
