import { checkArgument, type HostImage } from '@poiesis/core';

/**
 * Turns a picture upright, to the bit as Pillow's `ImageOps.exif_transpose`.
 * @param orientation the number of EXIF's tag 0x0112: 1 is upright, 3 upside down, 6 needs a quarter turn clockwise,
 *   8 one the other way; 2, 4, 5 and 7 are mirrored besides.
 */
export function orientImage(image: HostImage, orientation: number): HostImage {
  const known = Number.isInteger(orientation) && orientation >= 1 && orientation <= 8;
  checkArgument(known, 'orientImage', 'orientation', 'an integer from 1 to 8', orientation);
  if (orientation === 1) return image;
  const { data: from, width: w, height: h, channels } = image;
  const turned = orientation >= 5;
  const [width, height] = turned ? [h, w] : [w, h];
  // Source column and row of each target pixel: mirrored columns in 2, 3, 7, 8, mirrored rows in 3, 4, 6, 7.
  const mirrorX = [2, 3, 7, 8].includes(orientation);
  const mirrorY = [3, 4, 6, 7].includes(orientation);
  const data = new Uint8Array(from.length);
  for (let y = 0, o = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [across, down] = turned ? [y, x] : [x, y];
      const i = ((mirrorY ? h - 1 - down : down) * w + (mirrorX ? w - 1 - across : across)) * channels;
      for (let c = 0; c < channels; c++) data[o++] = from[i + c]!;
    }
  }
  return { data, width, height, channels };
}
