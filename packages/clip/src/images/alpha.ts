import { convertChannels, type HostImage } from '@poiesis/core';

/** The picture laid over a colour: Pillow's `alpha_composite` on an opaque ground, to the bit. RGB. */
export function overColour(image: HostImage, colour: readonly [number, number, number]): HostImage {
  if (image.channels % 2 === 1) return convertChannels(image, 3);
  const { data: from, width, height } = convertChannels(image, 4);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0, o = 0; o < data.length; i += 4, o += 3) {
    const alpha = from[i + 3]!;
    for (let c = 0; c < 3; c++) {
      const sum = from[i + c]! * alpha * 128 + colour[c]! * (255 - alpha) * 128 + (0x80 << 7);
      data[o + c] = (((sum >> 8) + sum) >> 8) >> 7;
    }
  }
  return { data, width, height, channels: 3 };
}
