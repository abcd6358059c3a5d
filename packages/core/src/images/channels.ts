import { checkArgument } from '../errors';
import { checkImage, type HostImage, type ImageChannels } from './host-image';

/**
 * The picture with another number of channels. Colour to grey weighs by ITU-R 601 luma, to the bit as Pillow's
 * `convert('L')`; alpha is dropped, not blended, as there; new alpha is opaque. The same channels: the same object.
 */
export function convertChannels(image: HostImage, channels: ImageChannels): HostImage {
  checkImage('convertChannels', 'image', image);
  checkArgument([1, 2, 3, 4].includes(channels), 'convertChannels', 'channels', '1, 2, 3 or 4', channels);
  if (image.channels === channels) return image;
  const { data: from, width, height } = image;
  const pixels = width * height;
  const data = new Uint8Array(pixels * channels);
  const colourIn = image.channels >= 3;
  const alphaIn = image.channels % 2 === 0 ? image.channels - 1 : -1;
  const colourOut = channels >= 3;
  for (let p = 0, i = 0, o = 0; p < pixels; p++, i += image.channels, o += channels) {
    const r = from[i]!;
    const g = colourIn ? from[i + 1]! : r;
    const b = colourIn ? from[i + 2]! : r;
    if (colourOut) {
      data[o] = r;
      data[o + 1] = g;
      data[o + 2] = b;
    } else {
      data[o] = colourIn ? (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16 : r;
    }
    if (channels % 2 === 0) data[o + channels - 1] = alphaIn < 0 ? 255 : from[i + alphaIn]!;
  }
  return { data, width, height, channels };
}
