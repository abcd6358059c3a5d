import * as tf from '@tensorflow/tfjs-core';
import { type Axis, type ConvAttrs, convAxes, padOrCrop } from '../complete/conv-geometry';
import { type PhaseTaps, phaseTaps } from '../complete/input-gradient';
import type { Correction } from './correction';
import { allocate, type BackendWasm, heap, start } from './heap';

/**
 * Conv2DBackpropInput (also conv2dTranspose) on XNNPACK. tfjs's own is a naive loop, at a tenth of its speed.
 *
 * Two ways, whichever has less to do. As stride² convolutions, as in `input-gradient.ts`, with the sub-filters and the
 * weaving done in the heap; or as one matrix product dy · filterᵀ that is added up onto the image. The second wastes
 * nothing where the filter is large against dy (the first layer of a generator: 1×1 → 4×4) or where there are fewer
 * channels than XNNPACK's columns at a time (its last layer: one channel).
 */
export const conv2dBackpropInput: Correction = {
  kernel: tf.Conv2DBackpropInput,
  correct:
    (original) =>
    (args): tf.TensorInfo | tf.TensorInfo[] => {
      const attrs: ConvAttrs & { inputShape: number[] } = args.attrs;
      const { dy, filter } = args.inputs as { dy: tf.Tensor4D; filter: tf.Tensor4D };
      if (attrs.dataFormat === 'NCHW') return original(args);
      const [h, w] = convAxes(attrs.inputShape, filter.shape, attrs);
      const phases = byPhasesCost(dy, filter, h, w);
      const product = byProductCost(dy, filter);
      return tf.tidy(() =>
        product < phases
          ? byProduct(args.backend, dy, filter, h, w)
          : byPhases(args.backend, dy, filter, h, w),
      );
    },
};

/** XNNPACK computes this many output channels at a time. */
const COLUMNS = 8;
/** Multiplications that take as long as adding one element of the product to the image. */
const SCATTER_COST = 24;

function byPhasesCost(dy: tf.Tensor4D, filter: tf.Tensor4D, h: Axis, w: Axis): number {
  const [, , channels, out] = filter.shape;
  const perAxis = (axis: Axis) => axis.filter * Math.ceil(axis.input / axis.stride);
  return dy.shape[0] * perAxis(h) * perAxis(w) * out * roundUp(channels, COLUMNS);
}

function byProductCost(dy: tf.Tensor4D, filter: tf.Tensor4D): number {
  const [batch, oh, ow, out] = dy.shape;
  const patch = filter.size / out;
  return batch * oh * ow * (out * roundUp(patch, COLUMNS) + SCATTER_COST * patch);
}

function roundUp(n: number, unit: number): number {
  return Math.ceil(n / unit) * unit;
}

function byPhases(backend: BackendWasm, dy: tf.Tensor4D, filter: tf.Tensor4D, h: Axis, w: Axis): tf.Tensor4D {
  const [, , channels] = filter.shape;
  const dx = allocate<tf.Tensor4D>(backend, [dy.shape[0], h.input, w.input, channels]);
  // With a filter smaller than the stride, some pixels get nothing.
  if (h.filter < h.stride || w.filter < w.stride) clear(backend, dx);
  for (let rh = 0; rh < h.stride; rh++) {
    for (let rw = 0; rw < w.stride; rw++) {
      const [th, tw] = [phaseTaps(h, rh), phaseTaps(w, rw)];
      if (th.count <= 0 || tw.count <= 0) continue;
      tf.tidy(() => {
        const taps = flippedTaps(backend, filter, th, tw, h.stride, w.stride);
        const part = convolve(dy, taps, th.pad, tw.pad);
        weave(backend, part, dx, rh, rw, h.stride, w.stride);
      });
    }
  }
  return dx;
}

function clear(backend: BackendWasm, t: tf.Tensor): void {
  const from = start(backend, t);
  heap(backend).fill(0, from, from + t.size);
}

/** Stride-1 convolution; what padding is not negative is left to XNNPACK. */
function convolve(dy: tf.Tensor4D, taps: tf.Tensor4D, h: [number, number], w: [number, number]): tf.Tensor4D {
  const cut = (pad: [number, number]) => pad.map((n) => Math.min(n, 0)) as [number, number];
  const grow = (pad: [number, number]) => pad.map((n) => Math.max(n, 0)) as [number, number];
  return tf.conv2d(padOrCrop(dy, cut(h), cut(w)), taps, 1, [[0, 0], grow(h), grow(w), [0, 0]]);
}

/** `[taps h, taps w, out, in]`: every stride-th tap of `[kh, kw, in, out]`, backwards, channels swapped. */
function flippedTaps(
  backend: BackendWasm,
  filter: tf.Tensor4D,
  th: PhaseTaps,
  tw: PhaseTaps,
  strideH: number,
  strideW: number,
): tf.Tensor4D {
  const [, kw, channels, out] = filter.shape;
  const result = allocate<tf.Tensor4D>(backend, [th.count, tw.count, out, channels]);
  const memory = heap(backend);
  const from = start(backend, filter);
  let to = start(backend, result);
  for (let i = th.count - 1; i >= 0; i--) {
    for (let j = tw.count - 1; j >= 0; j--) {
      const tap = from + ((th.first + i * strideH) * kw + tw.first + j * strideW) * channels * out;
      transposeBlock(memory, tap, to, channels, out);
      to += channels * out;
    }
  }
  return result;
}

// In tiles, so that both sides stay in cache lines that are already there.
function transposeBlock(memory: Float32Array, from: number, to: number, rows: number, columns: number): void {
  const tile = 16;
  for (let r0 = 0; r0 < rows; r0 += tile) {
    const r1 = Math.min(rows, r0 + tile);
    for (let c0 = 0; c0 < columns; c0 += tile) {
      const c1 = Math.min(columns, c0 + tile);
      for (let c = c0; c < c1; c++) {
        for (let r = r0; r < r1; r++) memory[to + c * rows + r] = memory[from + r * columns + c]!;
      }
    }
  }
}

/** Puts pixel (i, j) of `part` at (i · strideH + rh, j · strideW + rw) of `dx`, where there is such a one. */
function weave(
  backend: BackendWasm,
  part: tf.Tensor4D,
  dx: tf.Tensor4D,
  rh: number,
  rw: number,
  strideH: number,
  strideW: number,
): void {
  const [batch, ph, pw, channels] = part.shape;
  const [, height, width] = dx.shape;
  const memory = heap(backend);
  const [from, to] = [start(backend, part), start(backend, dx)];
  for (let b = 0; b < batch; b++) {
    for (let i = 0, y = rh; y < height && i < ph; i++, y += strideH) {
      let source = from + (b * ph + i) * pw * channels;
      let target = to + ((b * height + y) * width + rw) * channels;
      for (let x = rw; x < width; x += strideW) {
        memory.copyWithin(target, source, source + channels);
        source += channels;
        target += channels * strideW;
      }
    }
  }
}

function byProduct(
  backend: BackendWasm,
  dy: tf.Tensor4D,
  filter: tf.Tensor4D,
  h: Axis,
  w: Axis,
): tf.Tensor4D {
  const [batch, oh, ow, out] = dy.shape;
  const [kh, kw, channels] = filter.shape;
  const patch = kh * kw * channels;
  const dx = allocate<tf.Tensor4D>(backend, [batch, h.input, w.input, channels]);
  clear(backend, dx);
  const weights = tf.reshape(filter, [patch, out]);
  // A few images at a time: the product has kh · kw times the elements of dy's image.
  const images = Math.max(1, Math.min(batch, Math.floor(PIECE / (oh * ow * patch))));
  for (let b = 0; b < batch; b += images) {
    tf.tidy(() => {
      const n = Math.min(images, batch - b);
      const rows = tf.reshape(tf.slice4d(dy, [b, 0, 0, 0], [n, oh, ow, out]), [n * oh * ow, out]);
      // (n · oh · ow, kh · kw · channels). The right side is turned and packed: the smaller one, if turning the result
      // does not cost more.
      const count = n * oh * ow;
      const product =
        count * (2 * out + patch) < 2 * patch * out
          ? tf.transpose(tf.matMul(weights, rows, false, true))
          : tf.matMul(rows, weights, false, true);
      addPatches(backend, product, dx, b, n, h, w);
    });
  }
  return dx;
}

/** Elements of the product that are held at a time: 32 MB. */
const PIECE = 8 * 2 ** 20;

/** col2im: adds each output pixel's patch to the pixels that it came from. */
function addPatches(
  backend: BackendWasm,
  product: tf.Tensor,
  dx: tf.Tensor4D,
  first: number,
  images: number,
  h: Axis,
  w: Axis,
): void {
  const [, height, width, channels] = dx.shape;
  const memory = heap(backend);
  const to = start(backend, dx);
  let from = start(backend, product);
  for (let b = first; b < first + images; b++) {
    for (let i = 0; i < h.output; i++) {
      for (let j = 0; j < w.output; j++) {
        const left = j * w.stride - w.before;
        for (let k = 0; k < h.filter; k++) {
          const y = i * h.stride + k - h.before;
          if (y >= 0 && y < height) {
            // One filter row is contiguous in the patch and, cut to the image, in dx.
            const begin = Math.max(0, -left) * channels;
            const end = Math.min(w.filter, width - left) * channels;
            const target = to + ((b * height + y) * width + left) * channels;
            for (let e = begin; e < end; e++) memory[target + e]! += memory[from + e]!;
          }
          from += w.filter * channels;
        }
      }
    }
  }
}
