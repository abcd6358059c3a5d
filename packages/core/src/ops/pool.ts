import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { effectiveKernel } from './conv2d';
import { padAxis } from './pad-axis';
import { type Pair, pairOf } from './pair';
import { alongHeight, alongWidth, type ResampleMatrix } from './resample';
import { gradientIsRecorded, withGradient } from './with-gradient';

export interface PoolOptions {
  /** Default: the kernel size. */
  stride?: Pair;
  /** At most half the kernel. Default 0. */
  padding?: Pair;
  /** Lets the last window hang over the end. Default false. */
  ceilMode?: boolean;
}

export interface MaxPool2dOptions extends PoolOptions {
  /** Default 1. */
  dilation?: Pair;
}

export interface AvgPool2dOptions extends PoolOptions {
  /** Whether padding counts as pixels in the mean. Default true, as in PyTorch. */
  countIncludePad?: boolean;
  /** Divides by this instead of the window's size. */
  divisorOverride?: number | null;
}

/** One spatial axis of a pooling. */
interface Axis {
  size: number;
  kernel: number;
  stride: number;
  padding: number;
  dilation: number;
  out: number;
}

/**
 * Largest value of each window, as `torch.nn.functional.max_pool2d`.
 *
 * Where a gradient is recorded it is composed from shifted maxima, one axis after the other: tfjs's own gradient is
 * wrong on wasm for negative maxima and differentiates only once. Ties give theirs to the first pixel in reading
 * order, as PyTorch's do.
 *
 * @param x `[batch, height, width, channels]`.
 * @returns `[batch, outHeight, outWidth, channels]`. The caller owns it.
 */
export function maxPool2d(x: tf.Tensor, kernelSize: Pair, options: MaxPool2dOptions = {}): tf.Tensor4D {
  const [height, width] = poolAxes('maxPool2d', x, kernelSize, options, options.dilation ?? 1);
  return tf.tidy(() => {
    if (!gradientIsRecorded() && height.dilation === 1 && width.dilation === 1) {
      const { kernel, stride, pads } = nativeOptions(height, width);
      return tf.maxPool(x as tf.Tensor4D, kernel, stride, pads);
    }
    // Columns before rows: then the first of equal maxima in reading order keeps the gradient.
    const columns = overWidth(x as tf.Tensor4D, (rows) => maxOf(windows(rows, width, -Infinity)), width.out);
    return overHeight(columns, (rows) => maxOf(windows(rows, height, -Infinity)), height.out);
  });
}

/**
 * Mean of each window, as `torch.nn.functional.avg_pool2d`.
 *
 * @param x `[batch, height, width, channels]`.
 * @returns `[batch, outHeight, outWidth, channels]`. The caller owns it. Twice differentiable.
 */
export function avgPool2d(x: tf.Tensor, kernelSize: Pair, options: AvgPool2dOptions = {}): tf.Tensor4D {
  const { countIncludePad = true, divisorOverride = null } = options;
  const [height, width] = poolAxes('avgPool2d', x, kernelSize, options, 1);
  checkArgument(divisorOverride !== 0, 'avgPool2d', 'options.divisorOverride', 'not 0', divisorOverride);
  const mean = (rows: tf.Tensor3D, axis: Axis): tf.Tensor3D => {
    const sum = tf.addN(windows(rows, axis, 0)) as tf.Tensor3D;
    if (divisorOverride !== null) return sum;
    const counts = windowSizes(axis, countIncludePad);
    return tf.mul(
      sum,
      tf.tensor3d(
        Float32Array.from(counts, (n) => 1 / n),
        [1, axis.out, 1],
      ),
    );
  };
  return tf.tidy(() => {
    const { kernel, stride, pads } = nativeOptions(height, width);
    // tfjs never counts padding, and differentiates only once.
    if (!gradientIsRecorded() && divisorOverride === null && pads.flat().every((pad) => pad === 0)) {
      return tf.avgPool(x as tf.Tensor4D, kernel, stride, pads);
    }
    const columns = overWidth(x as tf.Tensor4D, (rows) => mean(rows, width), width.out);
    const y = overHeight(columns, (rows) => mean(rows, height), height.out);
    return divisorOverride === null ? y : tf.div(y, divisorOverride);
  });
}

/**
 * Mean over windows that divide the image as evenly as possible, as `torch.nn.functional.adaptive_avg_pool2d`: output
 * `i` averages pixels `floor(i·size / out)` to `ceil((i + 1)·size / out)`.
 *
 * @param x `[batch, height, width, channels]`.
 * @param outputSize `null` keeps that axis.
 * @returns `[batch, outHeight, outWidth, channels]`. The caller owns it. Twice differentiable.
 */
export function adaptiveAvgPool2d(
  x: tf.Tensor,
  outputSize: number | null | readonly [number | null, number | null],
): tf.Tensor4D {
  const fn = 'adaptiveAvgPool2d';
  checkImage(fn, x);
  const wanted: readonly (number | null)[] = Array.isArray(outputSize)
    ? outputSize
    : [outputSize as number | null, outputSize as number | null];
  const size = [wanted[0] ?? x.shape[1]!, wanted[1] ?? x.shape[2]!] as const;
  const [h, w] = pairOf(size, fn, 'outputSize');
  return tf.tidy(() => {
    if (h === 1 && w === 1) return tf.mean(x as tf.Tensor4D, [1, 2], true);
    const columns = alongWidth(x as tf.Tensor4D, adaptiveMatrix(x.shape[2]!, w));
    return alongHeight(columns, adaptiveMatrix(x.shape[1]!, h));
  });
}

/** Mean over all pixels: `[batch, height, width, channels]` → `[batch, channels]`. The caller owns it. */
export function globalAvgPool2d(x: tf.Tensor): tf.Tensor2D {
  checkImage('globalAvgPool2d', x);
  return tf.tidy(() => tf.mean(x as tf.Tensor4D, [1, 2]));
}

function checkImage(fn: string, x: tf.Tensor): void {
  checkArgument(x.rank === 4, fn, 'x', '[batch, height, width, channels]', x.shape);
}

function poolAxes(
  fn: string,
  x: tf.Tensor,
  kernelSize: Pair,
  options: PoolOptions,
  dilations: Pair,
): [Axis, Axis] {
  checkImage(fn, x);
  const kernels = pairOf(kernelSize, fn, 'kernelSize');
  const strides = pairOf(options.stride ?? kernels, fn, 'options.stride');
  const paddings = pairOf(options.padding ?? 0, fn, 'options.padding', 0);
  const dilation = pairOf(dilations, fn, 'options.dilation');
  const axis = (i: 0 | 1): Axis => {
    const [kernel, stride, padding] = [kernels[i], strides[i], paddings[i]];
    const size = x.shape[i + 1]!;
    checkArgument(padding * 2 <= kernel, fn, 'options.padding', `at most half the kernel ${kernel}`, padding);
    const room = size + 2 * padding - effectiveKernel(kernel, dilation[i]);
    let out = Math.floor((room + (options.ceilMode ? stride - 1 : 0)) / stride) + 1;
    // A window that would start in the padding after the end is dropped, as PyTorch does.
    if (options.ceilMode && (out - 1) * stride >= size + padding) out -= 1;
    checkArgument(
      room >= 0 && out >= 1,
      fn,
      'x',
      `at least [${kernels.join(', ')}] pixels with padding`,
      x.shape,
    );
    return { size, kernel, stride, padding, dilation: dilation[i], out };
  };
  return [axis(0), axis(1)];
}

/** What tfjs's pooling kernels take. They need no more padding at the end than the last window reaches. */
function nativeOptions(height: Axis, width: Axis) {
  const sides = ({ size, kernel, stride, padding, out }: Axis): [number, number] => [
    padding,
    Math.max(0, (out - 1) * stride + kernel - padding - size),
  ];
  const none: [number, number] = [0, 0];
  const pads: [number, number][] = [none, sides(height), sides(width), none];
  return {
    kernel: [height.kernel, width.kernel] as [number, number],
    stride: [height.stride, width.stride] as [number, number],
    pads: pads as [[number, number], [number, number], [number, number], [number, number]],
  };
}

/**
 * The pixels under each tap of the kernel: `[outer, size, inner]` → `kernel` tensors `[outer, out, inner]`.
 * The axis is folded into rows of `stride` pixels, so that a strided pick is a plain slice.
 */
function windows(x: tf.Tensor3D, axis: Axis, padValue: number): tf.Tensor3D[] {
  const [outer, size, inner] = x.shape;
  const { kernel, stride, padding, dilation, out } = axis;
  const last = (kernel - 1) * dilation;
  const rows = out + Math.floor(last / stride);
  const after = rows * stride - padding - size;
  const padded = padAxis(x, 1, padding, Math.max(0, after), padValue);
  const cut = after < 0 ? tf.slice(padded, [0, 0, 0], [outer, rows * stride, inner]) : padded;
  const folded = tf.reshape(cut, [outer, rows, stride, inner]); // (outer, rows, stride, inner)
  return Array.from({ length: kernel }, (_, tap) => {
    const offset = tap * dilation;
    const start = [0, Math.floor(offset / stride), offset % stride, 0];
    return tf.reshape(tf.slice(folded, start, [outer, out, 1, inner]), [outer, out, inner]); // (outer, out, inner)
  });
}

function overHeight(x: tf.Tensor4D, f: (x: tf.Tensor3D) => tf.Tensor3D, out: number): tf.Tensor4D {
  const [b, h, w, c] = x.shape;
  return tf.reshape(f(tf.reshape(x, [b, h, w * c])), [b, out, w, c]);
}

function overWidth(x: tf.Tensor4D, f: (x: tf.Tensor3D) => tf.Tensor3D, out: number): tf.Tensor4D {
  const [b, h, w, c] = x.shape;
  return tf.reshape(f(tf.reshape(x, [b * h, w, c])), [b, h, out, c]);
}

function maxOf(taps: tf.Tensor3D[]): tf.Tensor3D {
  return taps.reduce(larger);
}

/** The larger of both; equal ones give the first. The mask is a constant, which tfjs's gradient forgets. */
function larger(a: tf.Tensor3D, b: tf.Tensor3D): tf.Tensor3D {
  return withGradient([a, b], () => ({
    value: tf.maximum(a, b),
    saved: [tf.cast(tf.greaterEqual(a, b), 'float32')],
    gradient: (dy, [first]) => [tf.mul(dy, first!), tf.mul(dy, tf.sub(1, first!))],
  }));
}

/** Pixels that each window counts. What hangs over the padding at the end never counts. */
function windowSizes({ size, kernel, stride, padding, out }: Axis, countIncludePad: boolean): number[] {
  return Array.from({ length: out }, (_, i) => {
    const start = i * stride - padding;
    const end = Math.min(start + kernel, size + padding);
    return countIncludePad ? end - start : Math.min(end, size) - Math.max(start, 0);
  });
}

function adaptiveMatrix(size: number, out: number): ResampleMatrix {
  const values = new Float32Array(out * size);
  for (let i = 0; i < out; i++) {
    const start = Math.floor((i * size) / out);
    const end = Math.ceil(((i + 1) * size) / out);
    values.fill(1 / (end - start), i * size + start, i * size + end);
  }
  return { values, size, out };
}
