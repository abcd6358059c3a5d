import type { HostImage } from '../../images';
import { failIn } from '../data/fail';
import { type DecodeImageOptions, type ReadImageOptions, readFileBytes } from './files';
import { decodeJpeg } from './jpeg';
import { isJpeg } from './jpeg-structure';
import { decodePng } from './png';
import { isPng } from './png-chunks';

/**
 * Reads a PNG or JPEG file; which one it is, its content says and not its name.
 * @throws FileFormatError where it is neither, or damaged. StorageError where it cannot be read.
 */
export async function readImage(file: string, options: ReadImageOptions = {}): Promise<HostImage> {
  return decodeImage(await readFileBytes(file), { ...options, file });
}

/** Decodes the content of a PNG or JPEG file. */
export async function decodeImage(bytes: Uint8Array, options: DecodeImageOptions = {}): Promise<HostImage> {
  if (isPng(bytes)) return decodePng(bytes, options);
  if (isJpeg(bytes)) return decodeJpeg(bytes, options);
  const start = [...bytes.subarray(0, 8)].map((b) => b.toString(16).padStart(2, '0')).join(' ');
  return failIn(options.file ?? 'image data')(0, 'a PNG or JPEG file', start || 'nothing');
}
