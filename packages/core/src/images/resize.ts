import { checkArgument } from '../errors';
import { checkImage, type HostImage } from './host-image';

/** Filters of `resizeImage`. Bicubic is the one with a = −0.5, as Pillow's. */
export type ResizeFilter = 'box' | 'bilinear' | 'bicubic' | 'lanczos';

interface Kernel {
  /** The filter is zero beyond this distance, in source pixels at scale 1. */
  readonly support: number;
  weight(x: number): number;
}

const kernels: Record<ResizeFilter, Kernel> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight(x) {
      const a = -0.5;
      const d = Math.abs(x);
      if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

export interface ResizeOptions {
  width: number;
  height: number;
  /** Default `'bicubic'`. */
  filter?: ResizeFilter;
}

/**
 * Resizes with antialiasing: when shrinking, the filter is stretched over all source pixels that a target pixel
 * covers. Pillow's `Image.resize` to the bit (rows, then columns, fixed-point weights, 8 bits between them; since
 * version 13 it takes some tall pictures columns first, which may round differently by 1); alpha is
 * multiplied in before and divided out after.
 */
export function resizeImage(
  image: HostImage,
  { width, height, filter = 'bicubic' }: ResizeOptions,
): HostImage {
  checkImage('resizeImage', 'image', image);
  const whole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  checkArgument(whole, 'resizeImage', 'options', 'width and height of at least 1', [width, height]);
  checkArgument(
    Object.hasOwn(kernels, filter),
    'resizeImage',
    'options.filter',
    Object.keys(kernels).join(', '),
    filter,
  );
  if (width === image.width && height === image.height) return image;
  const alpha = image.channels % 2 === 0;
  let result = alpha ? premultiply(image) : image;
  if (width !== image.width) result = resizeRows(result, width, kernels[filter]);
  if (height !== image.height) result = resizeColumns(result, height, kernels[filter]);
  return alpha ? unpremultiply(result) : result;
}

/** Weights are integers of 22 bits behind the point, so that 255 times their sum still fits 32 bits. */
const PRECISION = 22;

interface Weights {
  /** Per target pixel: its first source pixel. */
  first: Int32Array;
  /** Per target pixel: how many source pixels it takes. */
  count: Int32Array;
  /** `[target, stride]`, `count` of each row used. */
  values: Int32Array;
  stride: number;
}

function weightsOf(from: number, to: number, { support, weight }: Kernel): Weights {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const reach = support * stretch;
  const stride = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const values = new Int32Array(to * stride);
  const row = new Float64Array(stride);
  const inverse = 1 / stretch;
  for (let t = 0; t < to; t++) {
    const centre = (t + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - reach + 0.5));
    const n = Math.min(from, Math.trunc(centre + reach + 0.5)) - start;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      row[i] = weight((i + start - centre + 0.5) * inverse);
      sum += row[i]!;
    }
    for (let i = 0; i < n; i++) {
      const w = (sum === 0 ? row[i]! : row[i]! / sum) * (1 << PRECISION);
      values[t * stride + i] = Math.trunc(w < 0 ? w - 0.5 : w + 0.5);
    }
    first[t] = start;
    count[t] = n;
  }
  return { first, count, values, stride };
}

function resizeRows(image: HostImage, width: number, kernel: Kernel): HostImage {
  const { data: from, width: w, height, channels } = image;
  const { first, count, values, stride } = weightsOf(w, width, kernel);
  const data = new Uint8Array(height * width * channels);
  let o = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const start = (y * w + first[x]!) * channels;
      const n = count[x]!;
      for (let c = 0; c < channels; c++) {
        let sum = 1 << (PRECISION - 1);
        let i = start + c;
        for (let k = x * stride; k < x * stride + n; k++, i += channels)
          sum = (sum + from[i]! * values[k]!) | 0;
        data[o++] = clip(sum >> PRECISION);
      }
    }
  }
  return { data, width, height, channels };
}

function resizeColumns(image: HostImage, height: number, kernel: Kernel): HostImage {
  const { data: from, width, height: h, channels } = image;
  const { first, count, values, stride } = weightsOf(h, height, kernel);
  const line = width * channels;
  const data = new Uint8Array(height * line);
  const sums = new Int32Array(line);
  for (let y = 0; y < height; y++) {
    sums.fill(1 << (PRECISION - 1));
    for (let k = 0; k < count[y]!; k++) {
      const weight = values[y * stride + k]!;
      const start = (first[y]! + k) * line;
      for (let i = 0; i < line; i++) sums[i] = (sums[i]! + from[start + i]! * weight) | 0;
    }
    for (let i = 0; i < line; i++) data[y * line + i] = clip(sums[i]! >> PRECISION);
  }
  return { data, width, height, channels };
}

function clip(value: number): number {
  return value < 0 ? 0 : Math.min(value, 255);
}

function premultiply(image: HostImage): HostImage {
  return mapByAlpha(image, (value, alpha) => {
    const product = value * alpha + 128;
    return ((product >> 8) + product) >> 8;
  });
}

function unpremultiply(image: HostImage): HostImage {
  return mapByAlpha(image, (value, alpha) => {
    if (alpha === 0 || alpha === 255) return value;
    return clip(Math.trunc((255 * value) / alpha));
  });
}

function mapByAlpha(image: HostImage, fn: (value: number, alpha: number) => number): HostImage {
  const { channels } = image;
  const data = image.data.slice();
  for (let i = 0; i < data.length; i += channels) {
    const alpha = data[i + channels - 1]!;
    for (let c = 0; c < channels - 1; c++) data[i + c] = fn(data[i + c]!, alpha);
  }
  return { ...image, data };
}
