import {
  type CropBox,
  checkArgument,
  convertChannels,
  cropImage,
  type HostImage,
  hostUniform,
  type Key,
  permutation,
  type ResizeFilter,
  resizeImage,
} from '@poiesis/core';
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation } from './colour';
import { halfToEven } from './geometry';

// Random changes for training, as torchvision draws them. Each is a function of a key: the same key, the same picture.

export interface RandomCropOptions {
  /** Share of the area that is kept, from and to. Default 0.9 to 1, as open_clip trains; torchvision's is 0.08 to 1. */
  scale?: readonly [from: number, to: number];
  /** Width by height, from and to, evenly by its logarithm. Default 3/4 to 4/3. */
  ratio?: readonly [from: number, to: number];
}

/**
 * The part of a picture that `randomResizedCrop` takes: torchvision's `RandomResizedCrop.get_params`. Ten tries for a
 * box inside the picture; then the largest one in the middle with an allowed shape.
 */
export function randomCropBox(
  key: Key,
  { width, height }: { readonly width: number; readonly height: number },
  { scale = [0.9, 1], ratio = [3 / 4, 4 / 3] }: RandomCropOptions = {},
): CropBox {
  const range = ([from, to]: readonly [number, number]) =>
    from > 0 && from <= to && to < Number.POSITIVE_INFINITY;
  checkArgument(range(scale) && scale[1] <= 1, 'randomCropBox', 'options.scale', '0 < from ≤ to ≤ 1', scale);
  checkArgument(range(ratio), 'randomCropBox', 'options.ratio', '0 < from ≤ to', ratio);
  const draws = hostUniform(key, 40);
  return cropBoxOf((i) => draws[i]!, { width, height }, scale, ratio);
}

/** The box of numbers from 0 to 1, four a try. */
export function cropBoxOf(
  draw: (index: number) => number,
  { width, height }: { readonly width: number; readonly height: number },
  scale: readonly [number, number],
  ratio: readonly [number, number],
): CropBox {
  const logs = [Math.log(ratio[0]), Math.log(ratio[1])] as const;
  // In single precision, as torch draws.
  const between = ([from, to]: readonly [number, number], u: number) => Math.fround(from + (to - from) * u);
  for (let n = 0; n < 40; n += 4) {
    const area = width * height * between(scale, draw(n));
    const shape = Math.fround(Math.exp(between(logs, draw(n + 1))));
    const w = halfToEven(Math.sqrt(area * shape));
    const h = halfToEven(Math.sqrt(area / shape));
    if (w > 0 && w <= width && h > 0 && h <= height) {
      const y = Math.floor(draw(n + 2) * (height - h + 1));
      const x = Math.floor(draw(n + 3) * (width - w + 1));
      return { x, y, width: w, height: h };
    }
  }
  const own = width / height;
  const w = own > ratio[1] ? halfToEven(height * ratio[1]) : width;
  const h = own < ratio[0] ? halfToEven(width / ratio[0]) : height;
  return { x: Math.floor((width - w) / 2), y: Math.floor((height - h) / 2), width: w, height: h };
}

/**
 * A random part of a picture, resized: torchvision's `RandomResizedCrop`.
 * @param size pixels of a side of the result, or both.
 * @param options `filter` of the resize, `'bicubic'` by default.
 */
export function randomResizedCrop(
  key: Key,
  image: HostImage,
  size: number | { readonly width: number; readonly height: number },
  { filter = 'bicubic', ...options }: RandomCropOptions & { filter?: ResizeFilter } = {},
): HostImage {
  const target = typeof size === 'number' ? { width: size, height: size } : size;
  return resizeImage(cropImage(image, randomCropBox(key, image, options)), { ...target, filter });
}

/** The picture with left and right exchanged. */
export function flipImage(image: HostImage): HostImage {
  const { data: from, width, height, channels } = image;
  const data = new Uint8Array(from.length);
  for (let y = 0, o = 0; y < height; y++) {
    for (let x = width - 1; x >= 0; x--) {
      const i = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) data[o++] = from[i + c]!;
    }
  }
  return { data, width, height, channels };
}

/** How much each of them changes; 0, the default, is not at all. */
export interface ColourJitterOptions {
  /** Factors from 1 − b (0 at least) to 1 + b. */
  brightness?: number;
  contrast?: number;
  saturation?: number;
  /** Shifts from −h to h of a full turn; 0.5 at most. */
  hue?: number;
}

/** Random changes of colour, in random order: torchvision's `ColorJitter`. */
export function colourJitter(key: Key, image: HostImage, options: ColourJitterOptions = {}): HostImage {
  const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options;
  for (const [name, value] of Object.entries({ brightness, contrast, saturation, hue })) {
    const fits = value >= 0 && (name === 'hue' ? value <= 0.5 : value < Number.POSITIVE_INFINITY);
    checkArgument(
      fits,
      'colourJitter',
      `options.${name}`,
      name === 'hue' ? '0 to 0.5' : 'a number ≥ 0',
      value,
    );
  }
  const [orderKey, drawKey] = key.split(2);
  const [b, c, s, h] = hostUniform(drawKey!, 4) as unknown as [number, number, number, number];
  const factor = (amount: number, u: number) => {
    const from = Math.max(0, 1 - amount);
    return from + (1 + amount - from) * u;
  };
  const steps = [
    (x: HostImage) => (brightness > 0 ? adjustBrightness(x, factor(brightness, b)) : x),
    (x: HostImage) => (contrast > 0 ? adjustContrast(x, factor(contrast, c)) : x),
    (x: HostImage) => (saturation > 0 ? adjustSaturation(x, factor(saturation, s)) : x),
    (x: HostImage) => (hue > 0 ? adjustHue(x, hue * (2 * h - 1)) : x),
  ];
  return [...permutation(orderKey!, 4)].reduce((x, n) => steps[n]!(x), image);
}

/** What `augment` does besides cropping. */
export interface AugmentOptions extends RandomCropOptions {
  /** Pixels of a side, or both. */
  size: number | { readonly width: number; readonly height: number };
  filter?: ResizeFilter;
  /** Probability of exchanging left and right. Default 0, as open_clip: captions may say "left". */
  flip?: number;
  /** Default: colours stay. */
  jitter?: ColourJitterOptions;
}

/**
 * A picture for one training step: random part, flip, colours. RGB; `normalizeImage` makes it a model's input. Lay
 * pictures with alpha over a ground first, or their transparent parts show what is below.
 */
export function augment(key: Key, image: HostImage, options: AugmentOptions): HostImage {
  const { size, flip = 0, jitter, ...crop } = options;
  checkArgument(flip >= 0 && flip <= 1, 'augment', 'options.flip', 'a probability', flip);
  const [cropKey, flipKey, jitterKey] = key.split(3);
  let result = randomResizedCrop(cropKey!, convertChannels(image, 3), size, crop);
  if (flip > 0 && hostUniform(flipKey!, 1)[0]! < flip) result = flipImage(result);
  return jitter ? colourJitter(jitterKey!, result, jitter) : result;
}
