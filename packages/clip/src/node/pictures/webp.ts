import { convertChannels, FileFormatError, type HostImage } from '@poiesis/core';
import { decodeByWasm } from './wasm-codec';

interface WebpHeader {
  width: number;
  height: number;
  alpha: boolean;
  animated: boolean;
}

export function isWebp(bytes: Uint8Array): boolean {
  return text(bytes, 0, 4) === 'RIFF' && text(bytes, 8, 12) === 'WEBP';
}

/** Decodes a WebP picture, lossy or lossless: RGB, or RGBA where it has alpha. */
export async function decodeWebp(bytes: Uint8Array, file: string, maxPixels: number): Promise<HostImage> {
  const fail = (expected: string, received: string, cause?: unknown): never => {
    throw new FileFormatError({ file, offset: 12, expected, received, cause });
  };
  const header = webpHeader(bytes) ?? fail('a WebP header', 'none');
  const { width, height } = header;
  if (width * height > maxPixels) fail(`at most ${maxPixels} pixels`, `${width} × ${height}`);
  if (header.animated) fail('a WebP picture', 'an animation');
  const pixels = await decodeByWasm('webp', bytes).catch((cause) =>
    fail('WebP data', (cause as Error).message, cause),
  );
  const data = new Uint8Array(pixels.data.buffer, pixels.data.byteOffset, pixels.data.length);
  const image: HostImage = { data, width: pixels.width, height: pixels.height, channels: 4 };
  return header.alpha ? image : convertChannels(image, 3);
}

/** Size and kind, of the first chunk: https://developers.google.com/speed/webp/docs/riff_container. */
function webpHeader(bytes: Uint8Array): WebpHeader | undefined {
  if (bytes.length < 30) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const u24 = (at: number) => view.getUint16(at, true) + bytes[at + 2]! * 65536;
  switch (text(bytes, 12, 16)) {
    case 'VP8X': {
      const flags = bytes[20]!;
      return {
        width: u24(24) + 1,
        height: u24(27) + 1,
        alpha: (flags & 0x10) !== 0,
        animated: (flags & 2) !== 0,
      };
    }
    case 'VP8L': {
      const bits = view.getUint32(21, true);
      return {
        width: (bits & 0x3fff) + 1,
        height: ((bits >>> 14) & 0x3fff) + 1,
        alpha: ((bits >>> 28) & 1) === 1,
        animated: false,
      };
    }
    case 'VP8 ':
      return {
        width: view.getUint16(26, true) & 0x3fff,
        height: view.getUint16(28, true) & 0x3fff,
        alpha: false,
        animated: false,
      };
    default:
      return undefined;
  }
}

function text(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}
