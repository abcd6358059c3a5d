import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { type Pair, pairOf } from './pair';
import { alongHeight, alongWidth, type ResampleMatrix } from './resample';

export interface UpsampleOptions {
  /** Output size. Give this or `scaleFactor`. */
  size?: Pair;
  /** Output size as a multiple of the input's, rounded down. */
  scaleFactor?: number | readonly [number, number];
  /** Default `'nearest'`. */
  mode?: 'nearest' | 'bilinear';
  /** Bilinear only: whether the corner pixels' centres, not the corners, coincide. Default false, as in PyTorch. */
  alignCorners?: boolean;
}

/**
 * Resizes images, as `torch.nn.functional.interpolate`. Nearest rounds the source position down, as PyTorch's
 * `'nearest'` does. Bilinear does not smooth when it shrinks (no antialiasing).
 *
 * @param x `[batch, height, width, channels]`.
 * @returns `[batch, outHeight, outWidth, channels]`. The caller owns it. Twice differentiable.
 */
export function upsample(x: tf.Tensor, options: UpsampleOptions): tf.Tensor4D {
  const fn = 'upsample';
  const { size, scaleFactor, mode = 'nearest', alignCorners = false } = options;
  checkArgument(x.rank === 4, fn, 'x', '[batch, height, width, channels]', x.shape);
  checkArgument(
    (size === undefined) !== (scaleFactor === undefined),
    fn,
    'options',
    'size or scaleFactor',
    options,
  );
  checkArgument(
    mode === 'nearest' || mode === 'bilinear',
    fn,
    'options.mode',
    "'nearest' or 'bilinear'",
    mode,
  );
  checkArgument(mode === 'bilinear' || !alignCorners, fn, 'options.alignCorners', "mode 'bilinear'", mode);
  const scales: readonly (number | undefined)[] =
    typeof scaleFactor === 'number' ? [scaleFactor, scaleFactor] : (scaleFactor ?? [undefined, undefined]);
  for (const s of scales)
    checkArgument(s === undefined || s > 0, fn, 'options.scaleFactor', 'more than 0', scaleFactor);
  const [inH, inW] = [x.shape[1]!, x.shape[2]!];
  const scaled = [Math.floor(inH * (scales[0] ?? 1)), Math.floor(inW * (scales[1] ?? 1))] as const;
  const [h, w] = pairOf(size ?? scaled, fn, size === undefined ? 'options.scaleFactor' : 'options.size');

  return tf.tidy(() => {
    const image = x as tf.Tensor4D;
    if (mode === 'nearest' && h % inH === 0 && w % inW === 0) return repeat(image, h / inH, w / inW);
    const matrix = (from: number, to: number, scale: number | undefined) =>
      mode === 'nearest' ? nearestMatrix(from, to, scale) : bilinearMatrix(from, to, scale, alignCorners);
    return alongHeight(alongWidth(image, matrix(inW, w, scales[1])), matrix(inH, h, scales[0]));
  });
}

/**
 * Moves channels into space, as `torch.nn.functional.pixel_shuffle`: `[batch, height, width, channels·r²]` →
 * `[batch, height·r, width·r, channels]`, channel `c·r² + i·r + j` to row `i`, column `j` of each block.
 * The caller owns the result.
 */
export function pixelShuffle(x: tf.Tensor, upscaleFactor: number): tf.Tensor4D {
  const fn = 'pixelShuffle';
  const r = upscaleFactor;
  checkArgument(Number.isInteger(r) && r >= 1, fn, 'upscaleFactor', 'an integer ≥ 1', r);
  const fits = x.rank === 4 && x.shape[3]! % (r * r) === 0;
  checkArgument(fits, fn, 'x', `[batch, height, width, a multiple of ${r * r}]`, x.shape);
  const [b, h, w, channels] = x.shape as [number, number, number, number];
  const c = channels / (r * r);
  return tf.tidy(() => {
    const parts = tf.reshape(x, [b, h, w, c, r, r]); // (b, h, w, c, i, j)
    return tf.reshape(tf.transpose(parts, [0, 1, 4, 2, 5, 3]), [b, h * r, w * r, c]); // from (b, h, i, w, j, c)
  });
}

/** Each pixel `rows × columns` times. A product with ones, whose gradient is a sum on every backend. */
function repeat(x: tf.Tensor4D, rows: number, columns: number): tf.Tensor4D {
  const [b, h, w, c] = x.shape;
  const wide = tf.mul(tf.reshape(x, [b * h, w, 1, c]), tf.ones([1, 1, columns, 1])); // (b·h, w, columns, c)
  const line = w * columns * c;
  const tall = tf.mul(tf.reshape(wide, [b * h, 1, line]), tf.ones([1, rows, 1])); // (b·h, rows, w·columns·c)
  return tf.reshape(tall, [b, h * rows, w * columns, c]);
}

function nearestMatrix(size: number, out: number, scale: number | undefined): ResampleMatrix {
  const values = new Float32Array(out * size);
  // PyTorch computes the position in float32, and rounding decides which pixel is the nearest.
  const step = Math.fround(scale === undefined ? size / out : 1 / scale);
  for (let i = 0; i < out; i++) {
    values[i * size + Math.min(Math.floor(Math.fround(i * step)), size - 1)] = 1;
  }
  return { values, size, out };
}

function bilinearMatrix(
  size: number,
  out: number,
  scale: number | undefined,
  alignCorners: boolean,
): ResampleMatrix {
  const values = new Float32Array(out * size);
  const step = alignCorners
    ? out > 1
      ? (size - 1) / (out - 1)
      : 0
    : scale === undefined
      ? size / out
      : 1 / scale;
  for (let i = 0; i < out; i++) {
    const at = alignCorners ? i * step : Math.max(0, (i + 0.5) * step - 0.5);
    const low = Math.min(Math.floor(at), size - 1);
    const high = Math.min(low + 1, size - 1);
    const part = Math.min(at - low, 1);
    values[i * size + low]! += 1 - part;
    values[i * size + high]! += part;
  }
  return { values, size, out };
}
