import { checkArgument } from '../errors';
import { checkImage, type HostImage } from './host-image';
import { type ResizeFilter, resizeImage } from './resize';

export interface CropBox {
  /** Left edge. */
  x: number;
  /** Upper edge. */
  y: number;
  width: number;
  height: number;
}

/** A copy of the part of the picture inside `box`, which lies within it. */
export function cropImage(image: HostImage, { x, y, width, height }: CropBox): HostImage {
  checkImage('cropImage', 'image', image);
  const inside =
    [x, y, width, height].every((n) => Number.isInteger(n) && n >= 0) &&
    width > 0 &&
    height > 0 &&
    x + width <= image.width &&
    y + height <= image.height;
  const expected = `x, y, width, height within ${image.width} × ${image.height}`;
  checkArgument(inside, 'cropImage', 'box', expected, [x, y, width, height]);
  const { channels } = image;
  const data = new Uint8Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    const start = ((y + row) * image.width + x) * channels;
    data.set(image.data.subarray(start, start + width * channels), row * width * channels);
  }
  return { data, width, height, channels };
}

/**
 * A square of `size` pixels: the shorter side is resized to `size`, then the middle is cut out. Rounds as torchvision's
 * `Resize(size)` and `CenterCrop(size)`.
 * @param options `filter` of the resize, `'bilinear'` by default, as torchvision's.
 */
export function fitImage(
  image: HostImage,
  size: number,
  { filter = 'bilinear' }: { filter?: ResizeFilter } = {},
): HostImage {
  checkImage('fitImage', 'image', image);
  checkArgument(Number.isInteger(size) && size > 0, 'fitImage', 'size', 'a positive integer', size);
  const long = Math.trunc((size * Math.max(image.width, image.height)) / Math.min(image.width, image.height));
  const [width, height] = image.width <= image.height ? [size, long] : [long, size];
  const resized = resizeImage(image, { width, height, filter });
  if (width === size && height === size) return resized;
  const x = halfToEven((width - size) / 2);
  const y = halfToEven((height - size) / 2);
  return cropImage(resized, { x, y, width: size, height: size });
}

/** Python's `round`, which torchvision places the crop with. */
function halfToEven(x: number): number {
  const below = Math.floor(x);
  return x - below === 0.5 ? below + (below % 2) : Math.round(x);
}
