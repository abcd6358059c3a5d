import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { checkArgument, StorageError } from '../../errors';
import { convertChannels, type HostImage, type ImageChannels } from '../../images';
import type { Fail } from '../data/fail';
import { unreadable } from '../data/read-bytes';

/** How pictures are read. */
export interface ReadImageOptions {
  /** Converts to this many channels, see `convertChannels`. Default: those of the file. */
  channels?: ImageChannels;
  /** Larger pictures are refused before they are decoded. Default 100 million pixels. */
  maxPixels?: number;
}

/** How pictures in memory are read. */
export interface DecodeImageOptions extends ReadImageOptions {
  /** What error messages call the data. */
  file?: string;
}

/**
 * The whole file.
 * @throws StorageError where it cannot be read.
 */
export async function readFileBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/** Writes a file, and the folders that it needs. */
export async function writeFileBytes(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new StorageError({
      path: file,
      operation: 'write',
      reason: message,
      systemCode: code,
      needed: bytes.length,
      cause,
    });
  }
}

export function checkPixels(
  offset: number,
  width: number,
  height: number,
  maxPixels = 1e8,
  fail: Fail,
): void {
  checkArgument(maxPixels > 0, 'readImage', 'options.maxPixels', 'a positive number', maxPixels);
  if (width * height > maxPixels) fail(offset, `at most ${maxPixels} pixels`, `${width} × ${height}`);
}

export function withChannels(image: HostImage, channels: ImageChannels | undefined): HostImage {
  return channels === undefined ? image : convertChannels(image, channels);
}
