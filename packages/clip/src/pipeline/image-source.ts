import { ArgumentError, type HostImage } from '@poiesis/core';

/** A picture in memory, or what the reader of pictures takes: a path or URL, a Blob, a file's bytes. */
export type ImageSource = HostImage | string | Blob | Uint8Array;

/** Reads a picture from its path or URL, or decodes it. */
export type ImageReader = (source: string | Blob | Uint8Array) => Promise<HostImage>;

// On globalThis, because the CommonJS builds of the main entry and of /node hold a copy of this module each.
const READER = Symbol.for('poiesis.clip.imageReader');
const registry = globalThis as { [READER]?: ImageReader };

/** Says how `CLIP` reads pictures that are not in memory. Importing `@poiesis/clip/node` registers files. */
export function registerImageReader(reader: ImageReader): void {
  registry[READER] = reader;
}

/** The picture itself. */
export async function imageOf(fn: string, source: ImageSource, reader?: ImageReader): Promise<HostImage> {
  const plain = typeof source === 'string' || source instanceof Uint8Array || source instanceof Blob;
  if (!plain) return source;
  const read = reader ?? registry[READER];
  if (read) return read(source);
  throw new ArgumentError({
    fn,
    argument: 'images',
    expected: "pictures in memory; to read files, import '@poiesis/clip/node' or give CLIP a readImage",
    received: source,
  });
}

/** Name for messages. */
export function nameOf(source: ImageSource, index: number): string {
  if (typeof source === 'string') return source;
  if (source instanceof Blob && 'name' in source && typeof source.name === 'string') return source.name;
  return `images[${index}]`;
}
