import { checkArgument, convertChannels, type HostImage } from '@poiesis/core';

// torchvision.transforms.functional on Pillow pictures, to the bit. Grey and RGB; alpha is dropped.

/** Light times `factor`: 0 is black, 1 the picture. */
export function adjustBrightness(image: HostImage, factor: number): HostImage {
  checkFactor('adjustBrightness', factor);
  const source = opaque(image);
  return mixed(source, factor, () => 0);
}

/** Distance from the mean grey times `factor`: 0 is all grey, 1 the picture. */
export function adjustContrast(image: HostImage, factor: number): HostImage {
  checkFactor('adjustContrast', factor);
  const source = opaque(image);
  const { data } = convertChannels(source, 1);
  const mean = Math.trunc(data.reduce((sum, v) => sum + v, 0) / data.length + 0.5);
  return mixed(source, factor, () => mean);
}

/** Distance from the picture's own grey times `factor`: 0 is black and white, 1 the picture. */
export function adjustSaturation(image: HostImage, factor: number): HostImage {
  checkFactor('adjustSaturation', factor);
  const source = opaque(image);
  if (source.channels === 1) return source;
  const grey = convertChannels(source, 1).data;
  return mixed(source, factor, (pixel) => grey[pixel]!);
}

/** Turns hues by `shift` of a full turn, −0.5 to 0.5. By way of 8-bit HSV, as Pillow: at 0 it may round differently by 1. */
export function adjustHue(image: HostImage, shift: number): HostImage {
  checkArgument(Math.abs(shift) <= 0.5, 'adjustHue', 'shift', 'a number from -0.5 to 0.5', shift);
  const source = opaque(image);
  if (source.channels === 1) return source;
  const turn = Math.trunc(shift * 255) & 255;
  const from = source.data;
  const data = new Uint8Array(from.length);
  for (let i = 0; i < from.length; i += 3) turnHue(data, from, i, turn);
  return { ...source, data };
}

/** Pillow's `rgb2hsv`, the turn, and `hsv2rgb`, in the precision of their C: float where a `float` stores it. */
function turnHue(to: Uint8Array, from: Uint8Array, at: number, turn: number): void {
  const r = from[at]!;
  const g = from[at + 1]!;
  const b = from[at + 2]!;
  const value = Math.max(r, g, b);
  const range = value - Math.min(r, g, b);
  let saturation = 0;
  let hue = 0;
  if (range > 0) {
    const f = Math.fround;
    const rc = f((value - r) / range);
    const gc = f((value - g) / range);
    const bc = f((value - b) / range);
    let h: number;
    if (r === value) h = f(bc - gc);
    else if (g === value) h = f(2 + rc - bc);
    else h = f(4 + gc - rc);
    h = f((h / 6 + 1) % 1);
    hue = Math.trunc(h * 255);
    saturation = Math.trunc(f(range / value) * 255);
  }
  hue = (hue + turn) & 255;
  if (saturation === 0) {
    to.fill(value, at, at + 3);
    return;
  }
  const sixth = Math.floor((hue * 6) / 255);
  const rest = Math.fround((hue * 6) / 255 - sixth);
  const s = Math.fround(saturation / 255);
  const p = Math.round(value * (1 - s));
  const q = Math.round(value * (1 - s * rest));
  const t = Math.round(value * (1 - s * (1 - rest)));
  const [red, green, blue] = [
    [value, t, p],
    [q, value, p],
    [p, value, t],
    [p, q, value],
    [t, p, value],
    [value, p, q],
  ][sixth % 6]!;
  to[at] = red!;
  to[at + 1] = green!;
  to[at + 2] = blue!;
}

/** Pillow's `Image.blend(of, image, factor)`, in single precision, rounded down. */
function mixed(image: HostImage, factor: number, of: (pixel: number) => number): HostImage {
  if (factor === 1) return image;
  const { data: from, channels } = image;
  const alpha = Math.fround(factor);
  const data = new Uint8Array(from.length);
  for (let i = 0, pixel = 0; i < from.length; pixel++) {
    const base = of(pixel);
    for (let c = 0; c < channels; c++, i++) {
      const value = Math.fround(base + Math.fround(alpha * (from[i]! - base)));
      data[i] = value <= 0 ? 0 : Math.min(value, 255);
    }
  }
  return { ...image, data };
}

function opaque(image: HostImage): HostImage {
  return image.channels % 2 === 1 ? image : convertChannels(image, image.channels === 2 ? 1 : 3);
}

function checkFactor(fn: string, factor: number): void {
  checkArgument(factor >= 0 && factor < Number.POSITIVE_INFINITY, fn, 'factor', 'a number ≥ 0', factor);
}
