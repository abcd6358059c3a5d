import type { HostImage, ImageChannels } from '../../images';
import type { PngHeader, PngParts } from './png-chunks';

/** Splits rows of packed samples (1, 2 or 4 bits) into one sample per byte. */
export function unpack(packed: ArrayLike<number>, width: number, height: number, depth: number): Uint8Array {
  const perByte = 8 / depth;
  const rowBytes = Math.ceil(width / perByte);
  const mask = (1 << depth) - 1;
  const samples = new Uint8Array(width * height);
  for (let y = 0, o = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const byte = packed[y * rowBytes + Math.floor(x / perByte)]!;
      samples[o++] = (byte >> (8 - depth * ((x % perByte) + 1))) & mask;
    }
  }
  return samples;
}

/** Makes 8-bit channels of samples: scales depths, looks palettes up, turns a transparent colour into alpha. */
export function toImage(
  samples: Uint8Array | Uint16Array,
  { header, palette, transparency }: Pick<PngParts, 'header' | 'palette' | 'transparency'>,
): HostImage {
  const { width, height, colour } = header;
  const size = { width, height };
  if (colour === 3) return { ...size, ...lookUp(samples, palette!, transparency) };
  const scale = scaleTo8(header);
  const channels = header.samples + (transparency ? 1 : 0);
  const data = new Uint8Array(width * height * channels);
  if (!transparency) {
    for (let i = 0; i < data.length; i++) data[i] = scale(samples[i]!);
  } else {
    const key = Array.from(
      { length: header.samples },
      (_, c) => transparency[2 * c]! * 256 + transparency[2 * c + 1]!,
    );
    for (let i = 0, o = 0; o < data.length; i += key.length) {
      let opaque = 0;
      for (let c = 0; c < key.length; c++) {
        if (samples[i + c] !== key[c]) opaque = 255;
        data[o++] = scale(samples[i + c]!);
      }
      data[o++] = opaque;
    }
  }
  return { ...size, data, channels: channels as ImageChannels };
}

function scaleTo8({ depth }: PngHeader): (sample: number) => number {
  if (depth === 8) return (v) => v;
  if (depth === 16) return (v) => (v * 255 + 32895) >> 16; // v / 257, rounded
  const factor = 255 / ((1 << depth) - 1);
  return (v) => v * factor;
}

function lookUp(
  indices: ArrayLike<number>,
  palette: Uint8Array,
  transparency: Uint8Array | undefined,
): Pick<HostImage, 'data' | 'channels'> {
  const channels = transparency ? 4 : 3;
  const data = new Uint8Array(indices.length * channels);
  for (let i = 0, o = 0; i < indices.length; i++, o += channels) {
    const index = indices[i]!;
    // An index beyond the palette is black, as libpng and Pillow have it.
    for (let c = 0; c < 3; c++) data[o + c] = palette[3 * index + c] ?? 0;
    if (transparency) data[o + 3] = transparency[index] ?? 255;
  }
  return { data, channels };
}
