import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { checkGroups, dilateFilter, effectiveKernel, overGroups } from './conv2d';
import { padAxis } from './pad-axis';
import { type Pair, pairOf } from './pair';

export interface ConvTranspose2dOptions {
  /** `[out]`. Default none. */
  bias?: tf.Tensor | null;
  /** Default 1. */
  stride?: Pair;
  /** Pixels cut off both sides of each axis of the full result. Default 0. */
  padding?: Pair;
  /** Pixels added at the bottom and right, smaller than stride or dilation. Default 0. */
  outputPadding?: Pair;
  /** Default 1. */
  dilation?: Pair;
  /** Default 1. */
  groups?: number;
}

/**
 * Transposed convolution, as `torch.nn.functional.conv_transpose2d`:
 * `out = (size − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1`.
 *
 * @param x `[batch, height, width, in]`.
 * @param weight `[kernelHeight, kernelWidth, out / groups, in]`.
 * @returns `[batch, outHeight, outWidth, out]`. The caller owns it. Twice differentiable.
 * @throws ArgumentError where shapes do not fit, or no output pixel is left.
 */
export function convTranspose2d(
  x: tf.Tensor,
  weight: tf.Tensor,
  options: ConvTranspose2dOptions = {},
): tf.Tensor4D {
  const fn = 'convTranspose2d';
  const { bias, groups = 1 } = options;
  checkArgument(weight.rank === 4, fn, 'weight', '[kh, kw, out / groups, in]', weight.shape);
  const [kh, kw, outPerGroup, inChannels] = weight.shape as [number, number, number, number];
  const out = outPerGroup * groups;
  checkGroups(fn, groups, inChannels, out);
  const expected = `[batch, height, width, ${inChannels}]`;
  checkArgument(x.rank === 4 && x.shape[3] === inChannels, fn, 'x', expected, x.shape);
  checkArgument(!bias || (bias.rank === 1 && bias.size === out), fn, 'bias', `[${out}]`, bias?.shape);
  const stride = pairOf(options.stride ?? 1, fn, 'options.stride');
  const padding = pairOf(options.padding ?? 0, fn, 'options.padding', 0);
  const dilation = pairOf(options.dilation ?? 1, fn, 'options.dilation');
  const outputPadding = pairOf(options.outputPadding ?? 0, fn, 'options.outputPadding', 0);

  const axes = ([0, 1] as const).map((axis) => {
    const [s, d, p, extra] = [stride[axis], dilation[axis], padding[axis], outputPadding[axis]];
    checkArgument(
      extra < Math.max(s, d),
      fn,
      'options.outputPadding',
      `less than stride ${s} or dilation ${d}`,
      extra,
    );
    // Output padding uncovers pixels that padding cuts off at the end; only what is left over is new zeros.
    const after = Math.max(0, p - extra);
    const zeros = Math.max(0, extra - p);
    const full = (x.shape[axis + 1]! - 1) * s + effectiveKernel([kh, kw][axis]!, d);
    return { before: p, after, zeros, size: full - p - after };
  });
  const [h, w] = axes as [(typeof axes)[0], (typeof axes)[0]];
  checkArgument(h.size > 0 && w.size > 0, fn, 'options.padding', 'less than the full output', padding);

  return tf.tidy(() => {
    const spread = dilateFilter(weight as tf.Tensor4D, dilation);
    const y = overGroups(x as tf.Tensor4D, spread, groups, (part, filter) =>
      tf.conv2dTranspose(part, filter, [x.shape[0]!, h.size, w.size, outPerGroup], stride, [
        [0, 0],
        [h.before, h.after],
        [w.before, w.after],
        [0, 0],
      ]),
    );
    const grown = padAxis(padAxis(y, 1, 0, h.zeros), 2, 0, w.zeros);
    return bias ? tf.add(grown, bias) : grown;
  });
}
