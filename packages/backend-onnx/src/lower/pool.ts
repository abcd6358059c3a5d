import {
  type AxisWindow,
  addBack,
  around,
  crop,
  extend,
  isInside,
  isTiled,
  mapAxis,
  readAt,
  take,
  type Weights,
  windowsOf,
  withSize,
} from './axis';
import type { LowerContext, Lowering } from './context';

/*
 * Pooling of channels-last images and volumes, one axis after the other: the maximum of a window is the maximum of its
 * rows' maxima, the average that of its rows' averages.
 */

/** The inputs of each output, tap by tap. Taps in the padding read an element of the window a second time. */
function maxTaps(w: AxisWindow): number[][] {
  return Array.from({ length: w.kernel }, (_, k) =>
    Array.from({ length: w.output }, (_, o) => {
      const inside = Array.from({ length: w.kernel }, (_, t) => readAt(w, o, t)).filter((p) =>
        isInside(w, p),
      );
      return Math.min(Math.max(readAt(w, o, k), inside[0]!), inside.at(-1)!);
    }),
  );
}

/** One number for each window, where windows lie side by side. */
function reduceTiles(
  c: LowerContext,
  op: 'ReduceMax' | 'ReduceMean',
  x: string,
  shape: readonly number[],
  axis: number,
  w: AxisWindow,
): string {
  const [outer, inner] = around(shape, axis);
  const whole = crop(c, x, shape, axis, w.output * w.kernel);
  const tiles = c.reshape(whole, [outer * w.output, w.kernel, inner]);
  const reduced = c.op(op, [tiles, c.g.ints([1])], { keepdims: 0 });
  return c.reshape(reduced, withSize(shape, axis, w.output));
}

function maxAlong(c: LowerContext, x: string, shape: readonly number[], axis: number, w: AxisWindow): string {
  if (isTiled(w)) return reduceTiles(c, 'ReduceMax', x, shape, axis, w);
  return maxTaps(w)
    .map((index) => take(c, x, axis, index))
    .reduce((a, b) => c.op('Max', [a, b]));
}

/** The maxima after 0, 1, … axes; the innermost axis comes first, so that ties are resolved in memory order. */
function maxima(c: LowerContext, x: string, shape: readonly number[], windows: readonly AxisWindow[]) {
  const steps = [{ name: x, shape }];
  for (let i = windows.length - 1; i >= 0; i--) {
    const { name, shape: from } = steps.at(-1)!;
    const w = windows[i]!;
    steps.push({ name: maxAlong(c, name, from, i + 1, w), shape: withSize(from, i + 1, w.output) });
  }
  return steps;
}

/** 1 where a tap equals the maximum, 0 where it is smaller: one clamp instead of a comparison and a selection. */
function equalsMax(c: LowerContext, max: string, tap: string): string {
  const behind = c.op('Sub', [max, tap]);
  return c.op('HardSigmoid', [behind], { alpha: { float: -1e30 }, beta: { float: 1 } });
}

/** Splits `dy` among the taps of one axis: the first tap that holds the maximum gets it all. */
function shares(
  c: LowerContext,
  dy: string,
  x: string,
  max: string,
  axis: number,
  taps: number[][],
): string[] {
  let left = dy;
  return taps.map((index, k) => {
    if (k === taps.length - 1) return left;
    const share = c.op('Mul', [left, equalsMax(c, max, take(c, x, axis, index))]);
    left = c.op('Sub', [left, share]);
    return share;
  });
}

/**
 * The runtime's own pooling, which wants channels first. Nothing where its rules for padding are not tfjs's: every window
 * must reach into the image, and the last one to its end.
 */
function byRuntime(c: LowerContext, op: string, windows: readonly AxisWindow[]): string | undefined {
  const ends = windows.map((w) => readAt(w, w.output - 1, w.kernel - 1) - w.input + 1);
  const fits = windows.every((w, i) => ends[i]! >= 0 && ends[i]! < w.kernel && w.before < w.kernel);
  if (!fits || c.dtype(0) !== 'float32') return undefined;
  const axes = windows.map((_, i) => i + 1);
  const pooled = c.op(op, [c.transpose(c.in(0), [0, axes.length + 1, ...axes])], {
    kernel_shape: windows.map((w) => w.kernel),
    strides: windows.map((w) => w.stride),
    pads: [...windows.map((w) => w.before), ...ends],
  });
  return c.transpose(pooled, [0, ...axes.map((i) => i + 1), 1]);
}

const maxPool: Lowering = (c) => {
  const windows = windowsOf(c);
  const whole = windows.every(isTiled) ? undefined : byRuntime(c, 'MaxPool', windows);
  return whole ?? maxima(c, c.in(0), c.shape(0), windows).at(-1)!.name;
};

/** Inputs: dy, x. One winner a window: the first maximum in memory order. */
const maxPoolGradient: Lowering = (c) => {
  const windows = windowsOf(c);
  const steps = maxima(c, c.in(1), c.shape(1), windows);
  let gradient = c.in(0);
  windows.forEach((w, i) => {
    const [before, after] = [steps[windows.length - 1 - i]!, steps[windows.length - i]!];
    const taps = maxTaps(w);
    const parts = shares(c, gradient, before.name, after.name, i + 1, taps);
    gradient = addBack(c, parts, before.shape, i + 1, w, taps);
  });
  return gradient;
};

/**
 * Outputs: the maxima, and where they are: flat positions in the image, or with `batch` in the whole tensor. Coordinates
 * are found axis by axis as the gradient is; float32 holds them exactly.
 */
const maxPoolWithArgmax: Lowering = (c) => {
  const windows = windowsOf(c);
  const [batch, , width, channels] = c.shape(0) as [number, number, number, number];
  const [h, w] = windows as [AxisWindow, AxisWindow];
  // What is not a number is nowhere the maximum.
  const numbers = c.op('Where', [c.op('IsNaN', [c.in(0)]), c.g.scalar(-3.4e38), c.in(0)]);
  const [x, columnMax, max] = maxima(c, numbers, c.shape(0), windows).map(({ name }) => name) as [
    string,
    string,
    string,
  ];
  const one = (like: readonly number[]) => c.op('Expand', [c.g.scalar(1), c.g.ints(like)]);
  /** Σ of the shares, each times what its tap is worth. */
  const weigh = (parts: string[], worth: (k: number) => string) =>
    parts.map((part, k) => c.op('Mul', [part, worth(k)])).reduce((a, b) => c.op('Add', [a, b]));
  const columnTaps = maxTaps(w);
  const rowTaps = maxTaps(h);
  const inColumns = shares(c, one([batch, h.input, w.output, channels]), x, columnMax, 2, columnTaps);
  const column = weigh(inColumns, (k) => c.g.constant('float32', [w.output, 1], columnTaps[k]!));
  const inRows = shares(c, one(c.out.shape), columnMax, max, 1, rowTaps);
  const row = weigh(inRows, (k) => c.g.constant('float32', [h.output, 1, 1], rowTaps[k]!));
  const columnOfRow = weigh(inRows, (k) => take(c, column, 1, rowTaps[k]!));

  const scaled = (name: string, factor: number) =>
    c.op('Mul', [c.cast(name, 'int32'), c.g.scalar(factor, 'int32')]);
  const channel = c.g.constant(
    'int32',
    [channels],
    Int32Array.from({ length: channels }, (_, i) => i),
  );
  let at = c.op('Add', [scaled(row, width * channels), scaled(columnOfRow, channels)]);
  at = c.op('Add', [at, channel]);
  if (c.boolean('batch')) {
    const image = h.input * width * channels;
    const first = Int32Array.from({ length: batch }, (_, b) => b * image);
    at = c.op('Add', [at, c.g.constant('int32', [batch, 1, 1, 1], first)]);
  }
  return [max, at];
};

/** Averages count the elements inside only. */
function averages(w: AxisWindow): Weights {
  return (o) => {
    const inside = Array.from({ length: w.kernel }, (_, k) => readAt(w, o, k)).filter((p) => isInside(w, p));
    return inside.map((p) => [p, 1 / inside.length] as const);
  };
}

const averagePool: Lowering = (c) => {
  const windows = windowsOf(c);
  const whole = windows.every(isTiled) ? undefined : byRuntime(c, 'AveragePool', windows);
  if (whole) return whole;
  let [x, shape] = [c.in(0), c.shape(0)];
  windows.forEach((w, i) => {
    const axis = i + 1;
    x = isTiled(w)
      ? reduceTiles(c, 'ReduceMean', x, shape, axis, w)
      : mapAxis(c, x, shape, axis, w.output, averages(w));
    shape = withSize(shape, axis, w.output);
  });
  return x;
};

/** Each element inside has the weight 1 / window. */
function wholeWindow(w: AxisWindow): Weights {
  return (o) =>
    Array.from({ length: w.kernel }, (_, k) => readAt(w, o, k))
      .filter((p) => isInside(w, p))
      .map((p) => [p, 1 / w.kernel] as const);
}

/** Input: dy. tfjs divides by the whole window here, padding or not. */
const averagePoolGradient: Lowering = (c) => {
  let [dy, shape] = [c.in(0), c.shape(0)];
  const windows = windowsOf(c);
  const dense = windows.every(isTiled);
  if (dense) {
    const window = windows.reduce((n, w) => n * w.kernel, 1);
    dy = c.op('Mul', [dy, c.g.scalar(1 / window)]);
  }
  // The innermost axis first: it grows the tensor while it is small.
  for (let i = windows.length - 1; i >= 0; i--) {
    const w = windows[i]!;
    const out = withSize(shape, i + 1, w.input);
    if (dense) {
      const repeat = Array.from({ length: w.output * w.kernel }, (_, p) => Math.floor(p / w.kernel));
      dy = extend(c, take(c, dy, i + 1, repeat), withSize(shape, i + 1, repeat.length), i + 1, w.input);
    } else dy = mapAxis(c, dy, shape, i + 1, w.input, wholeWindow(w), true);
    shape = out;
  }
  return dy;
};

export const pooling: Record<string, Lowering> = {
  MaxPool: maxPool,
  MaxPoolGradient: maxPoolGradient,
  MaxPoolWithArgmax: maxPoolWithArgmax,
  AveragePool: averagePool,
  AveragePoolGradient: averagePoolGradient,
};
