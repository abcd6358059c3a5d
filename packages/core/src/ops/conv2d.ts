import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, checkArgument } from '../errors';
import { padAxis } from './pad-axis';
import { type Pair, pairOf } from './pair';

/** Zero padding on both sides of each spatial axis, or a rule that computes it. */
export type ConvPadding = Pair | 'same' | 'valid';

export interface Conv2dOptions {
  /** `[out]`. Default none. */
  bias?: tf.Tensor | null;
  /** Default 1. */
  stride?: Pair;
  /** Default 0. `'same'` keeps the size and needs stride 1; an odd remainder goes to the bottom and right. */
  padding?: ConvPadding;
  /** Distance of the kernel's taps. Default 1. */
  dilation?: Pair;
  /** Number of independent convolutions that the channels are split into. Default 1. */
  groups?: number;
}

type Sides = [before: number, after: number];

/**
 * Cross-correlation over images, as `torch.nn.functional.conv2d`:
 * `out = floor((size + 2·padding − dilation·(kernel − 1) − 1) / stride) + 1`.
 *
 * @param x `[batch, height, width, in]`.
 * @param weight `[kernelHeight, kernelWidth, in / groups, out]`.
 * @returns `[batch, outHeight, outWidth, out]`. The caller owns it. Twice differentiable.
 * @throws ArgumentError where shapes do not fit, or no output pixel is left.
 */
export function conv2d(x: tf.Tensor, weight: tf.Tensor, options: Conv2dOptions = {}): tf.Tensor4D {
  const { bias, groups = 1 } = options;
  checkArgument(weight.rank === 4, 'conv2d', 'weight', '[kh, kw, in / groups, out]', weight.shape);
  const [kh, kw, inPerGroup, out] = weight.shape as [number, number, number, number];
  checkGroups('conv2d', groups, inPerGroup * groups, out);
  checkArgument(
    x.rank === 4 && x.shape[3] === inPerGroup * groups,
    'conv2d',
    'x',
    `[batch, height, width, ${inPerGroup * groups}]`,
    x.shape,
  );
  checkArgument(!bias || (bias.rank === 1 && bias.size === out), 'conv2d', 'bias', `[${out}]`, bias?.shape);
  const stride = pairOf(options.stride ?? 1, 'conv2d', 'options.stride');
  const dilation = pairOf(options.dilation ?? 1, 'conv2d', 'options.dilation');
  const kernel = [effectiveKernel(kh, dilation[0]), effectiveKernel(kw, dilation[1])] as const;
  const pads = convPads(options.padding ?? 0, kernel, stride, 'conv2d');
  for (const axis of [0, 1] as const) {
    const padded = x.shape[axis + 1]! + pads[axis][0] + pads[axis][1];
    checkArgument(
      padded >= kernel[axis],
      'conv2d',
      'x',
      `at least [${kernel.join(', ')}] pixels with padding`,
      x.shape,
    );
  }
  return tf.tidy(() => {
    const image = x as tf.Tensor4D;
    const filter = weight as tf.Tensor4D;
    const depthwise = groups > 1 && inPerGroup === 1;
    const y = depthwise
      ? // Output channel c·m + i belongs to input channel c in both layouts, so that a reshape is enough.
        convolve(image, tf.reshape(filter, [kh, kw, groups, out / groups]), stride, pads, dilation, true)
      : overGroups(image, filter, groups, (part, f) => convolve(part, f, stride, pads, dilation, false));
    return bias ? tf.add(y, bias) : y;
  });
}

/** Runs `f` on each group's channels with that group's part of the filter's last axis, and joins the results. */
export function overGroups(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  groups: number,
  f: (x: tf.Tensor4D, filter: tf.Tensor4D) => tf.Tensor4D,
): tf.Tensor4D {
  if (groups === 1) return f(x, filter);
  const filters = tf.split<tf.Tensor4D>(filter, groups, 3);
  const parts = tf.split<tf.Tensor4D>(x, groups, 3).map((part, g) => f(part, filters[g]!));
  return tf.concat(parts, 3);
}

function convolve(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  stride: [number, number],
  pads: [Sides, Sides],
  dilation: [number, number],
  depthwise: boolean,
): tf.Tensor4D {
  // tfjs refuses dilation together with stride: spread the taps by hand there.
  const spread = isOne(stride) ? dilation : ([1, 1] as [number, number]);
  const taps = isOne(stride) ? filter : dilateFilter(filter, dilation);
  const pad: [Sides, Sides, Sides, Sides] = [[0, 0], pads[0], pads[1], [0, 0]];
  return depthwise
    ? tf.depthwiseConv2d(x, taps, stride, pad, 'NHWC', spread)
    : tf.conv2d(x, taps, stride, pad, 'NHWC', spread);
}

/** `[kh, kw, a, b]` with `dilation − 1` rows and columns of zeros between the taps. */
export function dilateFilter(filter: tf.Tensor4D, [dh, dw]: [number, number]): tf.Tensor4D {
  if (dh === 1 && dw === 1) return filter;
  const [kh, kw, a, b] = filter.shape;
  // (kh, 1, kw, a·b) → (kh, dh, kw, a·b), the tap first in each run of dh
  const rows = padAxis(tf.reshape(filter, [kh, 1, kw, a * b]), 1, 0, dh - 1);
  // (kh·dh, kw, 1, a·b) → (kh·dh, kw, dw, a·b)
  const grid = padAxis(tf.reshape(rows, [kh * dh, kw, 1, a * b]), 2, 0, dw - 1);
  const size = [effectiveKernel(kh, dh), effectiveKernel(kw, dw)] as const;
  const cut = tf.slice(tf.reshape(grid, [kh * dh, kw * dw, a * b]), [0, 0, 0], [size[0], size[1], a * b]);
  return tf.reshape(cut, [size[0], size[1], a, b]);
}

/** Pixels that a dilated kernel spans. */
export function effectiveKernel(kernel: number, dilation: number): number {
  return dilation * (kernel - 1) + 1;
}

/** Padding before and after each spatial axis. */
export function convPads(
  padding: ConvPadding,
  kernel: readonly [number, number],
  stride: readonly [number, number],
  fn: string,
): [Sides, Sides] {
  if (padding === 'valid')
    return [
      [0, 0],
      [0, 0],
    ];
  if (padding === 'same') {
    checkArgument(isOne(stride), fn, 'options.stride', "1 where padding is 'same'", [...stride]);
    const same = (k: number): Sides => [Math.floor((k - 1) / 2), Math.ceil((k - 1) / 2)];
    return [same(kernel[0]), same(kernel[1])];
  }
  if (typeof padding === 'string') {
    const expected = "a number, a pair, 'same' or 'valid'";
    throw new ArgumentError({ fn, argument: 'options.padding', expected, received: padding });
  }
  const [ph, pw] = pairOf(padding, fn, 'options.padding', 0);
  return [
    [ph, ph],
    [pw, pw],
  ];
}

/** Both channel counts must divide into the groups. */
export function checkGroups(fn: string, groups: number, inChannels: number, outChannels: number): void {
  checkArgument(
    Number.isInteger(groups) && groups >= 1 && inChannels % groups === 0 && outChannels % groups === 0,
    fn,
    'options.groups',
    `a divisor of ${inChannels} input and ${outChannels} output channels`,
    groups,
  );
}

function isOne([a, b]: readonly [number, number]): boolean {
  return a === 1 && b === 1;
}
