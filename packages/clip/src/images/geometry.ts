import type { HostImage } from '@poiesis/core';
import type { ImagePreprocessing } from './settings';

interface Size {
  width: number;
  height: number;
}

/** Size that a picture is resized to before it is cut. */
export function targetSize(
  { width, height }: Size,
  { size, resize, shortestEdge }: ImagePreprocessing,
): Size {
  if (resize === 'squash') return size;
  if (resize === 'shortest' && (shortestEdge !== undefined || size.width === size.height)) {
    // torchvision's Resize(edge): the longer side rounds down.
    const edge = shortestEdge ?? size.width;
    const long = Math.trunc((edge * Math.max(width, height)) / Math.min(width, height));
    return width <= height ? { width: edge, height: long } : { width: long, height: edge };
  }
  // open_clip's ResizeKeepRatio: rounds half to even.
  const ratios = [width / size.width, height / size.height];
  const ratio = resize === 'longest' ? Math.max(...ratios) : Math.min(...ratios);
  return { width: halfToEven(width / ratio), height: halfToEven(height / ratio) };
}

/** The middle of an RGB picture, with bars where it is smaller than the size. */
export function cropOrPad(image: HostImage, { size, middle, fill }: ImagePreprocessing): HostImage {
  const { width, height } = size;
  if (image.width === width && image.height === height) return image;
  const rounded = middle === 'even' ? halfToEven : Math.trunc;
  // Bars are placed by rounding down in both; only a cut differs.
  const start = (from: number, to: number) =>
    from < to ? -Math.floor((to - from) / 2) : rounded((from - to) / 2);
  const x = start(image.width, width);
  const y = start(image.height, height);
  const data = new Uint8Array(width * height * 3).fill(fill);
  const left = Math.max(0, -x);
  const columns = Math.min(width, image.width);
  for (let row = Math.max(0, -y); row < height && row + y < image.height; row++) {
    const from = ((row + y) * image.width + Math.max(0, x)) * 3;
    data.set(image.data.subarray(from, from + columns * 3), (row * width + left) * 3);
  }
  return { data, width, height, channels: 3 };
}

/** Python's `round`. */
export function halfToEven(x: number): number {
  const below = Math.floor(x);
  return x - below === 0.5 ? below + (below % 2) : Math.round(x);
}
