import * as tf from '@tensorflow/tfjs-core';
import type { Correction } from './correction';
import { type BackendWasm, heap, start } from './heap';

// Slice, SplitV, StridedSlice, Reverse, Tile and DepthToSpace are one thing: the input, walked with other strides. tfjs's own
// take each element's index apart (30 to 60 ms for a million elements), and its Slice first copies the whole input
// however small the part. Here, runs that are contiguous on both sides are copied whole: 0.1 to 2 ms.

/** Elements `offset + Σ i_d · strides_d` of a tensor, in row-major order of `i < shape`. */
interface Walk {
  offset: number;
  shape: number[];
  strides: number[];
}

export const slice = correction(tf.Slice, (x, { begin, size }) => {
  const [from, extent] = tf.slice_util.parseSliceParams(x, begin, size) as [number[], number[]];
  const strides = stridesOf(x.shape);
  return { walk: { offset: dot(from, strides), shape: extent, strides }, shape: extent };
});

export const stridedSlice = correction(tf.StridedSlice, (x, a: tf.StridedSliceAttrs) => {
  const info = tf.slice_util.sliceInfo(
    x.shape,
    a.begin,
    a.end,
    a.strides,
    a.beginMask,
    a.endMask,
    a.ellipsisMask,
    a.newAxisMask,
    a.shrinkAxisMask,
  );
  const strides = stridesOf(x.shape);
  const shape = tf.slice_util.computeOutShape(info.begin, info.end, info.strides);
  const steps = strides.map((s, i) => s * info.strides[i]!);
  return { walk: { offset: dot(info.begin, strides), shape, strides: steps }, shape: info.finalShape };
});

export const reverse = correction(tf.Reverse, (x, { dims }) => {
  const axes = tf.util.parseAxisParam(dims, x.shape);
  const strides = stridesOf(x.shape);
  const last = axes.map((axis) => (x.shape[axis]! - 1) * strides[axis]!);
  const offset = last.reduce((a, b) => a + b, 0);
  const steps = strides.map((s, i) => (axes.includes(i) ? -s : s));
  return { walk: { offset, shape: x.shape, strides: steps }, shape: x.shape };
});

export const tile = correction(tf.Tile, (x, { reps }: { reps: number[] }) => {
  const strides = stridesOf(x.shape);
  const walk = {
    offset: 0,
    shape: x.shape.flatMap((n, i) => [reps[i]!, n]),
    strides: strides.flatMap((s) => [0, s]),
  };
  return { walk, shape: x.shape.map((n, i) => n * reps[i]!) };
});

export const depthToSpace = correction(tf.DepthToSpace, (x, { blockSize, dataFormat }) => {
  if (dataFormat !== 'NHWC') return null;
  const [batch, h, w, depth] = x.shape as [number, number, number, number];
  const channels = depth / blockSize ** 2;
  const walk = {
    offset: 0,
    // (batch, h, block row, w, block column, channels)
    shape: [batch, h, blockSize, w, blockSize, channels],
    strides: [h * w * depth, w * depth, blockSize * channels, depth, channels, 1],
  };
  return { walk, shape: [batch, h * blockSize, w * blockSize, channels] };
});

export const split: Correction = {
  kernel: tf.SplitV,
  correct: (original) => (args) => {
    const { backend, attrs } = args;
    const x = args.inputs.x!;
    if (x.dtype !== 'float32' && x.dtype !== 'int32') return original(args);
    const [axis] = tf.util.parseAxisParam(attrs.axis, x.shape) as [number];
    const sizes = tf.backend_util.prepareSplitSize(x, attrs.numOrSizeSplits, axis);
    const strides = stridesOf(x.shape);
    let offset = 0;
    return sizes.map((size) => {
      const shape = x.shape.map((n, i) => (i === axis ? size : n));
      const out = backend.makeOutput(shape, x.dtype);
      copy(backend, x, merged({ offset, shape, strides }), out);
      offset += size * strides[axis]!;
      return out;
    });
  },
};

function correction(
  kernel: string,
  // biome-ignore lint/suspicious/noExplicitAny: attributes have a different type for each kernel
  plan: (x: tf.Tensor, attrs: any) => { walk: Walk; shape: number[] } | null,
): Correction {
  return {
    kernel,
    correct: (original) => (args) => {
      const x = args.inputs.x!;
      const planned = x.dtype === 'float32' || x.dtype === 'int32' ? plan(x, args.attrs) : null;
      if (!planned) return original(args);
      const out = args.backend.makeOutput(planned.shape, x.dtype);
      copy(args.backend, x, merged(planned.walk), out);
      return out;
    },
  };
}

/** The same walk with as few axes as possible: without those of length 1, and neighbours that continue as one. */
function merged({ offset, shape, strides }: Walk): Walk {
  const result: Walk = { offset, shape: [], strides: [] };
  for (let d = 0; d < shape.length; d++) {
    if (shape[d] === 1) continue;
    const last = result.shape.length - 1;
    if (last >= 0 && result.strides[last] === strides[d]! * shape[d]!) {
      result.shape[last]! *= shape[d]!;
      result.strides[last] = strides[d]!;
    } else {
      result.shape.push(shape[d]!);
      result.strides.push(strides[d]!);
    }
  }
  return result;
}

function copy(
  backend: BackendWasm,
  x: tf.TensorInfo,
  { offset, shape, strides }: Walk,
  out: tf.TensorInfo,
): void {
  const total = tf.util.sizeFromShape(out.shape);
  const memory = heap(backend);
  const run = shape.at(-1) ?? 1;
  const stride = strides.at(-1) ?? 1;
  const outer = shape.length - 1;
  const counter = new Array<number>(Math.max(0, outer)).fill(0);
  let from = start(backend, x) + offset;
  let to = start(backend, out);
  for (const end = to + total; to < end; to += run) {
    // Calling the engine for a copy takes as long as copying 16 elements by hand.
    if (stride === 1 && run >= 16) memory.copyWithin(to, from, from + run);
    else if (stride === 0) memory.fill(memory[from]!, to, to + run);
    else copyRun(memory, from, stride, to, run);
    for (let d = outer - 1; d >= 0; d--) {
      from += strides[d]!;
      counter[d]!++;
      if (counter[d]! < shape[d]!) break;
      from -= strides[d]! * shape[d]!;
      counter[d] = 0;
    }
  }
}

function copyRun(memory: Float32Array, from: number, stride: number, to: number, count: number): void {
  for (let i = 0; i < count; i++) memory[to + i] = memory[from + i * stride]!;
}

function stridesOf(shape: number[]): number[] {
  return shape.length === 0 ? [] : [...tf.util.computeStrides(shape), 1];
}

function dot(a: number[], b: number[]): number {
  return a.reduce((sum, n, i) => sum + n * b[i]!, 0);
}
