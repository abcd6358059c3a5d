import { type HostArray, hostArray } from '../data';
import { checkArgument } from '../errors';

/** Grey, grey with alpha, RGB, RGBA. */
export type ImageChannels = 1 | 2 | 3 | 4;

/** A picture in host memory, 8 bits a channel, rows from the top, channels together: `data[(y·width + x)·channels + c]`. */
export interface HostImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: ImageChannels;
}

/** Throws an `ArgumentError` unless `image` is a `HostImage` whose data fit its size. */
export function checkImage(fn: string, argument: string, image: HostImage): void {
  const whole = (n: unknown) => Number.isInteger(n) && (n as number) > 0;
  checkArgument(
    typeof image === 'object' && image !== null && image.data instanceof Uint8Array,
    fn,
    argument,
    'an image { data: Uint8Array, width, height, channels }',
    image,
  );
  const { data, width, height, channels } = image;
  checkArgument(whole(width) && whole(height), fn, argument, 'width and height of at least 1', [
    width,
    height,
  ]);
  checkArgument([1, 2, 3, 4].includes(channels), fn, `${argument}.channels`, '1, 2, 3 or 4', channels);
  const size = width * height * channels;
  checkArgument(
    data.length === size,
    fn,
    `${argument}.data`,
    `${size} bytes (${width} × ${height} × ${channels})`,
    data.length,
  );
}

/**
 * The picture as a sample of shape `[height, width, channels]`; bytes are shared, not copied.
 * @param range what black and white become in the batch.
 */
export function imageArray(
  image: HostImage,
  range: readonly [min: number, max: number] = [-1, 1],
): HostArray {
  checkImage('imageArray', 'image', image);
  return hostArray(image.data, [image.height, image.width, image.channels], range);
}
