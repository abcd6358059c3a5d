import type * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import type { HostImage, ImageChannels } from './host-image';

export interface ImageGridOptions {
  /** Pictures in a row. Default: as many as make the grid about square. */
  columns?: number;
  /** Values of black and white. Beyond them colours are clipped; NaN is black. Default [-1, 1]. */
  range?: readonly [min: number, max: number];
  /** Pixels around and between the pictures. Default 2. */
  padding?: number;
  /** Their grey level, from 0 to 255. Default 0. */
  background?: number;
  /** Leaves `images` alive. Default false: they are disposed once they are read. */
  keep?: boolean;
}

/**
 * One picture of many: `await writePng('faces.png', imageGrid(model.sample(16, { seed: 7 })))`.
 *
 * **Takes ownership of `images`**, as that line has no other place to free them: they are disposed when they are read.
 * Pass `keep: true` to go on using them.
 *
 * @param images `[count, height, width, channels]`, 1 to 4 channels, filled in row by row.
 * @throws ArgumentError for another shape or wrong options; the images are then still the caller's.
 */
export async function imageGrid(images: tf.Tensor, options: ImageGridOptions = {}): Promise<HostImage> {
  const { range = [-1, 1], padding = 2, background = 0, keep = false } = options;
  const [count = 0, height = 0, width = 0, channels = 0] = images.shape;
  const { columns = Math.ceil(Math.sqrt(count)) } = options;
  const check = (ok: boolean, argument: string, expected: string, received: unknown) =>
    checkArgument(ok, 'imageGrid', argument, expected, received);
  check(
    images.rank === 4 && images.size > 0 && channels <= 4,
    'images',
    '[count, height, width, channels] with 1 to 4 channels, none of them 0',
    images.shape,
  );
  check(Number.isInteger(columns) && columns > 0, 'options.columns', 'a positive integer', columns);
  check(Number.isInteger(padding) && padding >= 0, 'options.padding', 'an integer ≥ 0', padding);
  check(background >= 0 && background <= 255, 'options.background', '0 to 255', background);
  const [min, max] = range;
  check(
    Number.isFinite(min) && Number.isFinite(max) && min < max,
    'options.range',
    '[min, max], min < max',
    range,
  );

  const values = await images.data();
  if (!keep) images.dispose();

  const across = Math.min(columns, count);
  const down = Math.ceil(count / columns);
  const gridWidth = across * (width + padding) + padding;
  const gridHeight = down * (height + padding) + padding;
  const data = new Uint8Array(gridWidth * gridHeight * channels).fill(background);
  const scale = 255 / (max - min);
  let i = 0;
  for (let k = 0; k < count; k++) {
    const left = padding + (k % columns) * (width + padding);
    const top = padding + Math.floor(k / columns) * (height + padding);
    for (let y = 0; y < height; y++) {
      let o = ((top + y) * gridWidth + left) * channels;
      for (let x = 0; x < width * channels; x++) {
        const value = (values[i++]! - min) * scale + 0.5;
        data[o++] = value > 0 ? Math.min(value, 255) : 0;
      }
    }
  }
  return { data, width: gridWidth, height: gridHeight, channels: channels as ImageChannels };
}
