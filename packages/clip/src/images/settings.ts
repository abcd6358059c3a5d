import { checkArgument, type ResizeFilter } from '@poiesis/core';

/** How a picture becomes the input of an image tower. Plain data: `clipPreprocessing()`, or read of a checkpoint. */
export interface ImagePreprocessing {
  /** Pixels of the result. */
  readonly size: { readonly width: number; readonly height: number };
  /**
   * `'shortest'`: the shorter side fills its place, and the middle is cut out (CLIP). `'squash'`: stretched to the size
   * (SigLIP). `'longest'`: the longer side fills its place, bars of `fill` around (some of open_clip's).
   */
  readonly resize: 'shortest' | 'squash' | 'longest';
  /** Shorter side before the middle is cut out, where that is not the size's own. */
  readonly shortestEdge?: number;
  /** Antialiased, as Pillow's. */
  readonly filter: ResizeFilter;
  /** Grey level of the bars. */
  readonly fill: number;
  /**
   * Where the middle lies if it cannot be exact: `'even'` rounds half to even (torchvision, OpenAI, open_clip), `'down'`
   * rounds down (Hugging Face).
   */
  readonly middle: 'even' | 'down';
  /**
   * What becomes of transparency. A colour: the picture is laid over it; white is Hugging Face's since transformers 5.
   * `'drop'`: colours are taken as if opaque (Pillow's `convert('RGB')`, older transformers). `'dropResized'`: the same
   * after resizing (OpenAI, open_clip).
   */
  readonly alpha: 'drop' | 'dropResized' | readonly [red: number, green: number, blue: number];
  /** Taken from the values, of 0 to 1, of red, green and blue. */
  readonly mean: readonly [number, number, number];
  /** Divides them then. */
  readonly std: readonly [number, number, number];
}

/** Mean and deviation of the pictures that CLIP was trained on. */
export const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
export const CLIP_STD = [0.26862954, 0.26130258, 0.27577711] as const;

/**
 * CLIP's: shorter side to `size` by antialiased bicubic resampling, middle cut out, CLIP's mean and deviation. What is
 * transparent becomes white.
 */
export function clipPreprocessing(
  size: number | readonly [height: number, width: number] = 224,
  options: Partial<Omit<ImagePreprocessing, 'size'>> = {},
): ImagePreprocessing {
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  const whole = (n: unknown) => Number.isInteger(n) && (n as number) > 0;
  const expected = 'a positive integer, or [height, width] of them';
  checkArgument(whole(height) && whole(width), 'clipPreprocessing', 'size', expected, size);
  return {
    size: { width, height },
    resize: 'shortest',
    filter: 'bicubic',
    fill: 0,
    middle: 'even',
    alpha: [255, 255, 255],
    mean: CLIP_MEAN,
    std: CLIP_STD,
    ...options,
  };
}

/** SigLIP's: stretched to the size by antialiased bicubic resampling, values from −1 to 1. */
export function siglipPreprocessing(
  size: number | readonly [height: number, width: number] = 224,
  options: Partial<Omit<ImagePreprocessing, 'size'>> = {},
): ImagePreprocessing {
  return clipPreprocessing(size, {
    resize: 'squash',
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
    ...options,
  });
}
