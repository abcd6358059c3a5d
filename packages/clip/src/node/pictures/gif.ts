import { FileFormatError, type HostImage } from '@poiesis/core';

export function isGif(bytes: Uint8Array): boolean {
  return bytes[0] === 0x47 && bytes[1] === 0x49 && bytes[2] === 0x46 && bytes[3] === 0x38;
}

/** Decodes the first picture of a GIF file: RGB, or RGBA where it has a transparent colour. */
export async function decodeGif(bytes: Uint8Array, file: string, maxPixels: number): Promise<HostImage> {
  const fail = (expected: string, received: string, cause?: unknown): never => {
    throw new FileFormatError({ file, expected, received, cause });
  };
  const width = bytes[6]! + bytes[7]! * 256;
  const height = bytes[8]! + bytes[9]! * 256;
  if (!(width > 0 && height > 0)) fail('a size from 1 × 1 on', `${width} × ${height}`);
  if (width * height > maxPixels) fail(`at most ${maxPixels} pixels`, `${width} × ${height}`);
  const { GifReader } = await gifLibrary();
  try {
    const reader = new GifReader(bytes as Buffer);
    if (reader.numFrames() === 0) fail('a picture', 'none');
    const frame = reader.frameInfo(0);
    const { transparent_index: clear, palette_offset: palette } = frame;
    const pixels = new Uint8Array(width * height * 4);
    if (clear !== null && palette !== null) {
      // The reader leaves transparent pixels alone; below the alpha they have the transparent colour, as in Pillow.
      const colour = bytes.subarray(palette + clear * 3, palette + clear * 3 + 3);
      for (let i = 0; i < pixels.length; i += 4) pixels.set(colour, i);
    }
    if (!quietly(() => reader.decodeAndBlitFrameRGBA(0, pixels))) fail('GIF data for all pixels', 'less');
    const covered = frame.width === width && frame.height === height;
    if (clear !== null || !covered) return { data: pixels, width, height, channels: 4 };
    return { data: pixels.filter((_, i) => i % 4 !== 3), width, height, channels: 3 };
  } catch (cause) {
    if (FileFormatError.isInstance(cause)) throw cause;
    return fail('GIF data', cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** CommonJS: what bundlers that split make of it has a default export only. */
async function gifLibrary(): Promise<Pick<typeof import('omggif'), 'GifReader'>> {
  const library = await import('omggif');
  return 'default' in library ? (library.default as typeof library) : library;
}

/** The reader tells of missing data on the console only, and leaves it at that. @returns whether it had no complaint */
function quietly(read: () => void): boolean {
  const { log } = console;
  let complete = true;
  console.log = (message: unknown) => {
    if (String(message).includes('shorter')) complete = false;
  };
  try {
    read(); // not asynchronous: nobody else's messages are lost
  } finally {
    console.log = log;
  }
  return complete;
}
