import { checkArgument, convertChannels, type HostArray, type HostImage, resizeImage } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { overColour } from './alpha';
import { cropOrPad, targetSize } from './geometry';
import type { ImagePreprocessing } from './settings';

/** A picture as an image tower takes it: float32 `[height, width, 3]`. A field that data loaders batch. */
export interface PreparedImage extends HostArray {
  readonly data: Float32Array;
  readonly shape: readonly [height: number, width: number, channels: 3];
}

/**
 * A picture as an image tower takes it: resized, cut to size and normalized. All resampling is on bytes, Pillow's to
 * the bit, so the values are those of Pillow, torchvision and Hugging Face's `…ImageProcessorPil`.
 */
export function preprocess(image: HostImage, settings: ImagePreprocessing): PreparedImage {
  return normalizeImage(frameImage(image, settings), settings);
}

/**
 * Several pictures as one tensor, float32 `[images.length, height, width, 3]`. The caller owns it.
 * @throws ArgumentError that names the picture which is none.
 */
export function preprocessBatch(images: readonly HostImage[], settings: ImagePreprocessing): tf.Tensor4D {
  const { width, height } = settings.size;
  const data = new Float32Array(images.length * width * height * 3);
  images.forEach((image, i) => {
    const whole = image?.data instanceof Uint8Array;
    checkArgument(
      whole,
      'preprocessBatch',
      `images[${i}]`,
      'an image { data, width, height, channels }',
      image,
    );
    const framed = frameImage(image, settings);
    normalizeInto(data.subarray(i * framed.data.length, (i + 1) * framed.data.length), framed, settings);
  });
  return tf.tensor4d(data, [images.length, height, width, 3]);
}

/** The first half of `preprocess`: RGB bytes of the settings' size. */
export function frameImage(image: HostImage, settings: ImagePreprocessing): HostImage {
  const { alpha, filter } = settings;
  let source = image;
  if (typeof alpha !== 'string') source = overColour(image, alpha);
  else if (alpha === 'drop' && image.channels % 2 === 0)
    source = convertChannels(image, image.channels === 2 ? 1 : 3);
  const resized = resizeImage(source, { ...targetSize(source, settings), filter });
  return cropOrPad(convertChannels(resized, 3), settings);
}

/** The second half: `(byte / 255 − mean) / std`, of RGB bytes of any size. */
export function normalizeImage(
  image: HostImage,
  settings: Pick<ImagePreprocessing, 'mean' | 'std'>,
): PreparedImage {
  const rgb = convertChannels(image, 3);
  const data = new Float32Array(rgb.data.length);
  normalizeInto(data, rgb, settings);
  return { data, shape: [rgb.height, rgb.width, 3] };
}

function normalizeInto(
  to: Float32Array,
  { data }: HostImage,
  { mean, std }: Pick<ImagePreprocessing, 'mean' | 'std'>,
): void {
  const tables = mean.map((m, c) => Float32Array.from({ length: 256 }, (_, v) => (v / 255 - m) / std[c]!));
  const [red, green, blue] = tables as [Float32Array, Float32Array, Float32Array];
  for (let i = 0; i < data.length; i += 3) {
    to[i] = red[data[i]!]!;
    to[i + 1] = green[data[i + 1]!]!;
    to[i + 2] = blue[data[i + 2]!]!;
  }
}
