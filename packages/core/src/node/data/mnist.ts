import type { Dataset, HostArray } from '../../data';
import { checkRange } from '../../data/sample';
import { checkArgument, FileFormatError } from '../../errors';
import { readIdx } from './idx';

export interface MnistOptions {
  /** IDX file of the pictures, plain or gzipped. */
  images: string;
  /** IDX file of their classes. */
  labels: string;
  /** Pads the pictures with black to this many pixels on each side, in equal parts. Default: no padding. */
  padTo?: number;
  /** What black and white become. Default [-1, 1]. */
  range?: readonly [min: number, max: number];
}

/** A picture `[size, size, 1]` and its class, an int32 scalar. */
export interface LabelledImage {
  image: HostArray;
  label: HostArray;
}

/**
 * MNIST and its relatives (Fashion-MNIST, KMNIST, EMNIST): batches of `{ image: [n, size, size, 1], label: [n] }`.
 * The pictures stay the bytes that they are in the file; padding and range are applied to what a batch takes.
 * @throws FileFormatError where a file is damaged, or the two do not belong together.
 */
export function mnist({ images, labels, padTo, range = [-1, 1] }: MnistOptions): Dataset<LabelledImage> {
  checkRange('mnist', 'range', range);
  const pictures = readIdx(images);
  const [count, height, width] = pictures.shape as [number, number, number];
  const pixels = pictures.data;
  if (pictures.shape.length !== 3 || !(pixels instanceof Uint8Array)) {
    throw mismatch(images, 'bytes of shape [count, height, width]', pictures);
  }
  const classes = readIdx(labels);
  if (classes.shape.length !== 1 || !(classes.data instanceof Uint8Array) || classes.shape[0] !== count) {
    throw mismatch(labels, `bytes of shape [${count}], one for each picture in ${images}`, classes);
  }
  const ids = Int32Array.from(classes.data);
  const least = Math.max(height, width);
  checkArgument(
    padTo === undefined || (Number.isInteger(padTo) && padTo >= least),
    'mnist',
    'padTo',
    `an integer of at least ${least}`,
    padTo,
  );
  const outHeight = padTo ?? height;
  const outWidth = padTo ?? width;
  const start = ((outHeight - height) >> 1) * outWidth + ((outWidth - width) >> 1);
  const padded = (picture: Uint8Array): Uint8Array => {
    const out = new Uint8Array(outHeight * outWidth);
    for (let y = 0; y < height; y++) {
      out.set(picture.subarray(y * width, (y + 1) * width), start + y * outWidth);
    }
    return out;
  };
  return {
    length: count,
    get(i) {
      const picture = pixels.subarray(i * height * width, (i + 1) * height * width);
      return {
        image: {
          data: padTo === undefined ? picture : padded(picture),
          shape: [outHeight, outWidth, 1],
          range,
        },
        label: { data: ids.subarray(i, i + 1), shape: [] },
      };
    },
  };
}

function mismatch(file: string, expected: string, { data, shape }: HostArray): FileFormatError {
  return new FileFormatError({
    file,
    offset: 2,
    expected,
    received: `${data.constructor.name} of shape [${shape.join(', ')}]`,
  });
}
