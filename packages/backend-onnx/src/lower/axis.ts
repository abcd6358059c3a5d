import { sizeOf } from '../trace/graph';
import type { LowerContext } from './context';

/** One spatial axis of a pooling or a depthwise convolution: which inputs each output looks at. */
export interface AxisWindow {
  input: number;
  output: number;
  kernel: number;
  stride: number;
  dilation: number;
  /** Padding before the first input. */
  before: number;
}

/** The windows travel as list attributes, one entry an axis. */
export const WINDOW_FIELDS = ['input', 'output', 'kernel', 'stride', 'dilation', 'before'] as const;

export function windowsOf(c: LowerContext): AxisWindow[] {
  const lists = WINDOW_FIELDS.map((field) => c.numbers(field));
  return lists[0]!.map(
    (_, i) => Object.fromEntries(WINDOW_FIELDS.map((f, k) => [f, lists[k]![i]])) as unknown as AxisWindow,
  );
}

/** The input that tap `k` of output `o` reads; it may lie outside. */
export function readAt({ stride, dilation, before }: AxisWindow, o: number, k: number): number {
  return o * stride + k * dilation - before;
}

export function isInside({ input }: AxisWindow, position: number): boolean {
  return position >= 0 && position < input;
}

/** Windows that stand side by side without padding: a reshape separates them. */
export function isTiled({ kernel, stride, dilation, before, output, input }: AxisWindow): boolean {
  return kernel === stride && dilation === 1 && before === 0 && output * stride <= input;
}

/** Sizes before and behind `axis`. */
export function around(shape: readonly number[], axis: number): [outer: number, inner: number] {
  return [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
}

export function withSize(shape: readonly number[], axis: number, size: number): number[] {
  return shape.map((d, i) => (i === axis ? size : d));
}

/**
 * Positions `index` of one axis, in that order. A Gather, which copies whole blocks on all threads, where a Slice with
 * steps walks on one.
 */
export function take(c: LowerContext, x: string, axis: number, index: readonly number[]): string {
  return c.op('Gather', [x, c.g.constant('int32', [index.length], index)], { axis });
}

/** The first `size` of an axis. */
export function crop(
  c: LowerContext,
  x: string,
  shape: readonly number[],
  axis: number,
  size: number,
): string {
  return shape[axis] === size ? x : c.slice(x, [0], [size], [axis]);
}

/** Zeros behind the end of an axis, up to `size`. */
export function extend(
  c: LowerContext,
  x: string,
  shape: readonly number[],
  axis: number,
  size: number,
): string {
  if (shape[axis] === size) return x;
  const pads = [...shape.map(() => 0), ...shape.map((d, i) => (i === axis ? size - d : 0))];
  return c.op('Pad', [x, c.g.ints(pads), c.g.scalar(0)], { mode: 'constant' });
}

/** A matrix of weights, sparse as it is written: `entries(o)` gives [position, weight] for output `o`. */
export type Weights = (o: number) => ReadonlyArray<readonly [position: number, weight: number]>;

/**
 * A linear map along one axis, `y[…, o, …] = Σ_i w[o, i] · x[…, i, …]`, as products with a small matrix. Most of the
 * matrix is zeros, but the products run on the threaded GEMM and read each element once.
 */
export function mapAxis(
  c: LowerContext,
  x: string,
  shape: readonly number[],
  axis: number,
  size: number,
  weights: Weights,
  transposed = false,
): string {
  const from = shape[axis]!;
  const [rows, columns] = transposed ? [from, size] : [size, from];
  const dense = new Float32Array(size * from);
  for (let o = 0; o < rows; o++) {
    for (const [i, weight] of weights(o)) {
      const at = transposed ? i * from + o : o * columns + i;
      dense[at]! += weight;
    }
  }
  const [outer, inner] = around(shape, axis);
  const out = withSize(shape, axis, size);
  if (inner === 1) {
    const matrix = new Float32Array(from * size).map(
      (_, k) => dense[(k % size) * from + Math.floor(k / size)]!,
    );
    const product = c.matmul(c.reshape(x, [outer, from]), c.g.constant('float32', [from, size], matrix));
    return c.reshape(product, out);
  }
  const matrix = c.g.constant('float32', [size, from], dense);
  return c.reshape(c.matmul(matrix, c.reshape(x, [outer, from, inner])), out);
}

/**
 * Adds what each tap of each output has to the input that it read, where that lies inside. `taps[k][o]` is the position;
 * `shape` is that of the inputs.
 */
export function addBack(
  c: LowerContext,
  parts: readonly string[],
  shape: readonly number[],
  axis: number,
  w: AxisWindow,
  taps: number[][],
): string {
  const [outer, inner] = around(shape, axis);
  if (isTiled(w)) {
    const columns = parts.map((part) => c.reshape(part, [outer * w.output, 1, inner]));
    const tiled = withSize(shape, axis, w.output * w.kernel);
    return extend(c, c.reshape(c.concat(columns, 1), tiled), tiled, axis, w.input);
  }
  // Which (tap, output) pairs each input gets, in layers of one pair an input.
  const places = Array.from({ length: w.input }, () => [] as number[]);
  taps.forEach((index, k) => {
    index.forEach((position, o) => void places[position]?.push(k * w.output + o));
  });
  const none = w.kernel * w.output;
  const layers = Math.max(1, ...places.map((p) => p.length));
  const missing = places.some((p) => p.length < layers);
  const zeros = withSize(shape, axis, 1);
  const all = c.concat(missing ? [...parts, c.op('ConstantOfShape', [c.g.ints(zeros)])] : parts, axis);
  return Array.from({ length: layers }, (_, l) =>
    take(
      c,
      all,
      axis,
      places.map((p) => p[l] ?? none),
    ),
  ).reduce((a, b) => c.op('Add', [a, b]));
}
