import * as tf from '@tensorflow/tfjs-core';
import { type Axis, padOrCrop } from './conv-geometry';

/** A stride-1, unpadded convolution: full or depthwise. */
type Convolve = (x: tf.Tensor4D, filter: tf.Tensor4D, dilations: [number, number]) => tf.Tensor4D;

/**
 * Gradient of a strided convolution with respect to its input, as stride² convolutions of stride 1.
 *
 * dx[i] = Σ_k dy[(i + p − d·k) / s] · w[k] over the k for which the division has no rest. Inputs with the same
 * i mod s use the same taps, so each residue r is one ordinary convolution of dy with every s-th tap, flipped. No
 * zeros are inserted, and no product is computed in vain.
 *
 * @param dy `[batch, oh, ow, channels out]`
 * @param filter `[kh, kw, …]` with its channel axes as `convolve` wants them for the way back
 * @param channels channels of the result
 * @returns `[batch, h.input, w.input, channels]`
 */
export function convInputGradient(
  dy: tf.Tensor4D,
  filter: tf.Tensor4D,
  h: Axis,
  w: Axis,
  channels: number,
  convolve: Convolve,
): tf.Tensor4D {
  const rows: tf.Tensor4D[] = [];
  for (let rh = 0; rh < h.stride; rh++) {
    const row: tf.Tensor4D[] = [];
    for (let rw = 0; rw < w.stride; rw++) row.push(phase(dy, filter, [h, w], [rh, rw], channels, convolve));
    rows.push(interleave(row, 2, w.input));
  }
  return interleave(rows, 1, h.input);
}

/** The part of dx at rows ≡ `residues[0]` and columns ≡ `residues[1]`, filled up to ceil(input / stride). */
function phase(
  dy: tf.Tensor4D,
  filter: tf.Tensor4D,
  axes: [Axis, Axis],
  residues: [number, number],
  channels: number,
  convolve: Convolve,
): tf.Tensor4D {
  const taps = axes.map((axis, i) => phaseTaps(axis, residues[i]!));
  const [th, tw] = taps as [PhaseTaps, PhaseTaps];
  if (th.count <= 0 || tw.count <= 0) {
    return tf.zeros([dy.shape[0], th.length, tw.length, channels]);
  }
  const flipped = everyNth(everyNth(filter, 0, th.first, axes[0].stride), 1, tw.first, axes[1].stride);
  return convolve(padOrCrop(dy, th.pad, tw.pad), flipped, [axes[0].dilation, axes[1].dilation]);
}

/** The taps that matter for the inputs ≡ residue (mod stride) of one axis. */
export interface PhaseTaps {
  /** First tap; then every stride-th. */
  first: number;
  count: number;
  /** Number of results, rounded up to that of residue 0. */
  length: number;
  /** Padding of dy (negative: cropping) with which a stride-1 convolution has `length` results. */
  pad: [before: number, after: number];
}

export function phaseTaps(
  { input, output, filter, stride, dilation, before }: Axis,
  residue: number,
): PhaseTaps {
  if (stride > 1 && dilation > 1) throw new Error('a convolution has either a stride or a dilation above 1');
  // With a stride: taps first, first + stride, …; dy index of the first one is q + shift for result q·stride + residue.
  // With a dilation the stride is 1: all taps, dy index q + before − dilation·k.
  const first = stride > 1 ? (residue + before) % stride : 0;
  const shift = (residue + before - first) / stride;
  const count = Math.ceil((filter - first) / stride);
  const length = Math.ceil(input / stride);
  const reach = (count - 1) * dilation;
  return { first, count, length, pad: [reach - shift, length + shift - output] };
}

/** Taps first, first + step, … of a spatial axis of the filter, in reverse. */
function everyNth(filter: tf.Tensor4D, axis: number, first: number, step: number): tf.Tensor4D {
  let taps: tf.Tensor = filter;
  if (step > 1) {
    const size = filter.shape[axis]!;
    const count = Math.ceil((size - first) / step);
    // pad up to count · step, then [count, step] and take column 0
    const begin = filter.shape.map(() => 0);
    begin[axis] = first;
    const extent = filter.shape.slice() as number[];
    extent[axis] = size - first;
    taps = tf.slice(filter, begin, extent);
    const missing = count * step - (size - first);
    if (missing > 0)
      taps = tf.pad(
        taps,
        filter.shape.map((_, i) => (i === axis ? [0, missing] : [0, 0])),
      );
    const split = filter.shape.slice() as number[];
    split.splice(axis, 1, count, step);
    taps = tf.slice(
      tf.reshape(taps, split),
      split.map(() => 0),
      split.map((n, i) => (i === axis + 1 ? 1 : n)),
    );
    const kept = filter.shape.slice() as number[];
    kept[axis] = count;
    taps = tf.reshape(taps, kept);
  }
  return tf.reverse(taps, axis) as tf.Tensor4D;
}

/** Weaves n tensors along a spatial axis: element i of the result is element ⌊i / n⌋ of tensor i mod n. */
function interleave(parts: tf.Tensor4D[], axis: 1 | 2, size: number): tf.Tensor4D {
  if (parts.length === 1) return parts[0]!;
  const woven = parts[0]!.shape.slice() as [number, number, number, number];
  woven[axis] *= parts.length;
  const full: tf.Tensor4D = tf.reshape(tf.stack(parts, axis + 1), woven);
  if (woven[axis] === size) return full;
  const kept = woven.slice() as typeof woven;
  kept[axis] = size;
  return tf.slice4d(full, [0, 0, 0, 0], kept);
}
