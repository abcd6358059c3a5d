import type { LowerContext } from './context';
import { type ConvGeometry, zeroRow } from './im2col';
import { type Winograd, winograd } from './winograd-transform';

/**
 * Winograd convolutions. A convolution whose kernel is a whole number of strides wide is, on the grid of stride × stride
 * pixel blocks, one with stride 1 and with the block's pixels as channels: k4 s2 has 2×2 taps there, k3 s1 3×3.
 *
 * Everything is pixel-major, `[y, x, image · channel]`, so each transform is one product with a small constant matrix for
 * each axis, which holds the transforms of all tiles along it. Forward, input gradient and filter gradient share their
 * transforms (ONNX Runtime merges equal nodes): `V` of the image, `U` of the filter and `W` of the output gradient are
 * each used twice. With f for products, t for tiles:
 * - V `[fy, ty, fx, tx · batch, block · channels]`
 * - U `[fy, 1, fx, block · channels, outChannels]`
 * - W `[fy, ty, fx, tx · batch, outChannels]`
 */
export interface WinogradPlan {
  y: Axis;
  x: Axis;
}

/** One axis of the image. */
interface Axis {
  transform: Winograd;
  tiles: number;
  /** Blocks that are read, and pixels in a block. */
  blocks: number;
  stride: number;
  /** Output pixels; the last tile may reach beyond. */
  out: number;
  pad: number;
  size: number;
}

/** The plan for tiles of `outputs` × `outputs`, or undefined where the convolution has not the form. */
export function winogradPlan(g: ConvGeometry, outputs: number): WinogradPlan | undefined {
  if (g.dilationHeight !== 1 || g.dilationWidth !== 1) return undefined;
  const y = axis(outputs, g.kernelHeight, g.strideHeight, g.outHeight, g.padTop, g.height);
  const x = axis(outputs, g.kernelWidth, g.strideWidth, g.outWidth, g.padLeft, g.width);
  return y && x && { y, x };
}

function axis(
  outputs: number,
  kernel: number,
  stride: number,
  out: number,
  pad: number,
  size: number,
): Axis | undefined {
  const taps = kernel / stride;
  if (taps !== 2 && taps !== 3) return undefined;
  const tiles = Math.ceil(out / outputs);
  return { transform: winograd(outputs, taps), tiles, blocks: out + taps - 1, stride, out, pad, size };
}

/** y `[batch, outHeight, outWidth, outChannels]`, as rows of channels. */
export function winogradForward(
  c: LowerContext,
  x: string,
  filter: string,
  g: ConvGeometry,
  plan: WinogradPlan,
): string {
  const products = c.matmul(imageTransform(c, x, g, plan), filterTransform(c, filter, g, plan));
  const pixels = along(c, products, plan, 'output', g.batch * g.outChannels);
  return fromPixelMajor(c, pixels, g);
}

/** dx `[batch, height, width, channels]`, as rows of channels. */
export function winogradInputGradient(
  c: LowerContext,
  dy: string,
  filter: string,
  g: ConvGeometry,
  plan: WinogradPlan,
): string {
  const dV = c.matmul(outputTransform(c, dy, g, plan), filterTransform(c, filter, g, plan), { transB: true });
  const blocks = along(c, dV, plan, 'inputT', g.batch * blockSize(g) * g.channels);
  const rows = c.reshape(blocks, [plan.y.blocks * plan.x.blocks * g.batch * blockSize(g), g.channels]);
  const reached = isWhole(plan.y) && isWhole(plan.x);
  const index = c.g.constantOnce(`winograd-image:${planKey(g, plan)}`, 'int32', () => ({
    dims: [g.batch * g.height * g.width],
    values: imageFromBlocks(g, plan),
  }));
  return c.op('Gather', [reached ? rows : withZeroRow(c, rows, g.channels), index], { axis: 0 });
}

/** dw `[kernelHeight, kernelWidth, channels, outChannels]`, as rows of taps. */
export function winogradFilterGradient(
  c: LowerContext,
  x: string,
  dy: string,
  g: ConvGeometry,
  plan: WinogradPlan,
): string {
  const { y: ay, x: ax } = plan;
  // [fy, ty, fx, block · channels, out]; the sum over ty is left to the product that follows.
  const dU = c.matmul(imageTransform(c, x, g, plan), outputTransform(c, dy, g, plan), { transA: true });
  const rows = ay.transform.products * ay.tiles * ax.transform.products;
  const size = blockSize(g) * g.channels * g.outChannels;
  const taps = c.matmul(filterMatrix(c, plan, true), c.reshape(dU, [rows, size]));
  const blocks = c.reshape(taps, [g.kernelHeight * g.kernelWidth, g.channels * g.outChannels]);
  if (blockSize(g) === 1) return blocks;
  return c.op('Gather', [blocks, tapOrder(c, g, plan, 'image')], { axis: 0 });
}

function imageTransform(c: LowerContext, x: string, g: ConvGeometry, plan: WinogradPlan): string {
  const { y: ay, x: ax } = plan;
  const size = g.batch * blockSize(g) * g.channels;
  const rows = c.reshape(x, [g.batch * g.height * g.width, g.channels]);
  const inOrder = g.batch === 1 && blockSize(g) === 1 && isInside(ay) && isInside(ax);
  let blocks = rows;
  if (!inOrder) {
    const index = c.g.constantOnce(`winograd-blocks:${planKey(g, plan)}`, 'int32', () => ({
      dims: [ay.blocks * ax.blocks * g.batch * blockSize(g)],
      values: blocksFromImage(g, plan),
    }));
    const source = isInside(ay) && isInside(ax) ? rows : withZeroRow(c, rows, g.channels);
    blocks = c.op('Gather', [source, index], { axis: 0 });
  }
  const V = along(c, blocks, plan, 'input', size);
  const [fy, fx] = [ay.transform.products, ax.transform.products];
  return c.reshape(V, [fy, ay.tiles, fx, ax.tiles * g.batch, blockSize(g) * g.channels]);
}

function filterTransform(c: LowerContext, filter: string, g: ConvGeometry, plan: WinogradPlan): string {
  const { y: ay, x: ax } = plan;
  const taps = c.reshape(filter, [g.kernelHeight * g.kernelWidth, g.channels * g.outChannels]);
  const ordered =
    blockSize(g) === 1 ? taps : c.op('Gather', [taps, tapOrder(c, g, plan, 'blocks')], { axis: 0 });
  const blocks = c.reshape(ordered, [
    ay.transform.taps * ax.transform.taps,
    blockSize(g) * g.channels * g.outChannels,
  ]);
  const U = c.matmul(filterMatrix(c, plan, false), blocks);
  return c.reshape(U, [
    ay.transform.products,
    1,
    ax.transform.products,
    blockSize(g) * g.channels,
    g.outChannels,
  ]);
}

function outputTransform(c: LowerContext, dy: string, g: ConvGeometry, plan: WinogradPlan): string {
  const { y: ay, x: ax } = plan;
  const W = along(c, toPixelMajor(c, dy, g), plan, 'outputT', g.batch * g.outChannels);
  const [fy, fx] = [ay.transform.products, ax.transform.products];
  return c.reshape(W, [fy, ay.tiles, fx, ax.tiles * g.batch, g.outChannels]);
}

type Which = 'input' | 'inputT' | 'output' | 'outputT';

/** Positions of both axes together, up to which one matrix for both costs less than a second pass over the data. */
const MOST_JOINT_POSITIONS = 36;

/** Transforms `[y, x, size]` along both axes. */
function along(c: LowerContext, data: string, { y, x }: WinogradPlan, which: Which, size: number): string {
  const [my, mx] = [axisMatrix(y, which), axisMatrix(x, which)];
  if (my.columns * mx.columns <= MOST_JOINT_POSITIONS && my.rows * mx.rows <= MOST_JOINT_POSITIONS) {
    const joint = c.g.constantOnce(`winograd-${which}:${axisKey(y)};${axisKey(x)}`, 'float32', () => ({
      dims: [my.rows * mx.rows, my.columns * mx.columns],
      values: kronecker(my, mx),
    }));
    return c.matmul(joint, c.reshape(data, [my.columns * mx.columns, size]));
  }
  const one = (m: Matrix, a: Axis) =>
    c.g.constantOnce(`winograd-${which}:${axisKey(a)}`, 'float32', () => ({
      dims: [m.rows, m.columns],
      values: m.values,
    }));
  const rows = c.matmul(one(my, y), c.reshape(data, [my.columns, mx.columns * size]));
  return c.matmul(one(mx, x), c.reshape(rows, [my.rows, mx.columns, size]));
}

interface Matrix {
  rows: number;
  columns: number;
  values: Float32Array;
}

/** The transforms of all tiles along an axis. Positions of products are (f, tile). */
function axisMatrix({ transform, tiles, blocks, out }: Axis, which: Which): Matrix {
  const { products, outputs, input, output } = transform;
  const ofInput = which === 'input' || which === 'inputT';
  const positions = ofInput ? blocks : out;
  const forward = new Float32Array(products * tiles * positions); // (products · tiles) × positions
  for (let f = 0; f < products; f++) {
    for (let t = 0; t < tiles; t++) {
      const weights = ofInput ? input[f]! : output.map((row) => row[f]!);
      weights.forEach((weight, k) => {
        const position = t * outputs + k;
        if (position < positions) forward[(f * tiles + t) * positions + position] = weight;
      });
    }
  }
  const flip = which === 'inputT' || which === 'output';
  return flip
    ? { rows: positions, columns: products * tiles, values: transposed(forward, products * tiles, positions) }
    : { rows: products * tiles, columns: positions, values: forward };
}

/** `[(fy, fx), (taps y, taps x)]`; transposed, its columns are (fy, ty, fx), the same for every tile row ty. */
function filterMatrix(c: LowerContext, { y, x }: WinogradPlan, transpose: boolean): string {
  const [fy, fx] = [y.transform.filter, x.transform.filter];
  const key = [y.transform.outputs, y.transform.taps, x.transform.outputs, x.transform.taps, y.tiles].join();
  if (!transpose) {
    return c.g.constantOnce(`winograd-filter:${key}`, 'float32', () => ({
      dims: [fy.length * fx.length, y.transform.taps * x.transform.taps],
      values: fy.flatMap((a) => fx.flatMap((b) => a.flatMap((p) => b.map((q) => p * q)))),
    }));
  }
  const repeated = fy.flatMap((a) => Array.from({ length: y.tiles }, () => a));
  return c.g.constantOnce(`winograd-filterT:${key}`, 'float32', () => ({
    dims: [y.transform.taps * x.transform.taps, repeated.length * fx.length],
    values: Array.from({ length: y.transform.taps }, (_, ky) => ky).flatMap((ky) =>
      Array.from({ length: x.transform.taps }, (_, kx) => kx).flatMap((kx) =>
        repeated.flatMap((a) => fx.map((b) => a[ky]! * b[kx]!)),
      ),
    ),
  }));
}

/** Rows of taps in the order (block y, block x, y, x), or from there back to that of the kernel. */
function tapOrder(c: LowerContext, g: ConvGeometry, { y, x }: WinogradPlan, to: 'blocks' | 'image'): string {
  return c.g.constantOnce(`winograd-taps-${to}:${axisKey(y)};${axisKey(x)}`, 'int32', () => {
    const order: number[] = [];
    for (let by = 0; by < y.transform.taps; by++)
      for (let bx = 0; bx < x.transform.taps; bx++)
        for (let sy = 0; sy < y.stride; sy++)
          for (let sx = 0; sx < x.stride; sx++)
            order.push((by * y.stride + sy) * g.kernelWidth + bx * x.stride + sx);
    const back = order.map((_, tap) => order.indexOf(tap));
    return { dims: [order.length], values: to === 'blocks' ? order : back };
  });
}

/** `[batch, outHeight, outWidth, outChannels]` to `[outHeight · outWidth · batch, outChannels]`. */
function toPixelMajor(c: LowerContext, y: string, g: ConvGeometry): string {
  const rows = c.reshape(y, [g.batch * g.outHeight * g.outWidth, g.outChannels]);
  return g.batch === 1 ? rows : reorder(c, rows, g.batch, g.outHeight * g.outWidth);
}

function fromPixelMajor(c: LowerContext, pixels: string, g: ConvGeometry): string {
  const rows = c.reshape(pixels, [g.batch * g.outHeight * g.outWidth, g.outChannels]);
  return g.batch === 1 ? rows : reorder(c, rows, g.outHeight * g.outWidth, g.batch);
}

/** Rows (a, b) in the order (b, a). Gather copies them on all threads, which Transpose does not. */
function reorder(c: LowerContext, rows: string, a: number, b: number): string {
  const index = c.g.constantOnce(`reorder:${a},${b}`, 'int32', () => ({
    dims: [a * b],
    values: Int32Array.from({ length: a * b }, (_, i) => (i % a) * b + Math.floor(i / a)),
  }));
  return c.op('Gather', [rows, index], { axis: 0 });
}

function withZeroRow(c: LowerContext, rows: string, channels: number): string {
  return c.op('Concat', [rows, zeroRow(c, channels)], { axis: 0 });
}

const blockSize = (g: ConvGeometry) => g.strideHeight * g.strideWidth;
const axisKey = (a: Axis) => [a.transform.outputs, a.transform.taps, a.out, a.stride, a.pad, a.size].join();
const planKey = (g: ConvGeometry, { y, x }: WinogradPlan) => `${g.batch};${axisKey(y)};${axisKey(x)}`;

/** Whether the blocks lie inside the image, and whether they cover it. */
const isInside = (a: Axis) => a.pad === 0 && a.blocks * a.stride <= a.size;
const isWhole = (a: Axis) => a.blocks * a.stride - a.pad >= a.size;

function kronecker(a: Matrix, b: Matrix): Float32Array {
  const values = new Float32Array(a.values.length * b.values.length);
  let k = 0;
  for (let ar = 0; ar < a.rows; ar++)
    for (let br = 0; br < b.rows; br++)
      for (let ac = 0; ac < a.columns; ac++)
        for (let bc = 0; bc < b.columns; bc++)
          values[k++] = a.values[ar * a.columns + ac]! * b.values[br * b.columns + bc]!;
  return values;
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(
    { length: rows * columns },
    (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!,
  );
}

/** Image row (or the zero row behind the image) of each (block y, block x, image, y, x). */
function blocksFromImage(g: ConvGeometry, plan: WinogradPlan): Int32Array {
  const index = new Int32Array(plan.y.blocks * plan.x.blocks * g.batch * blockSize(g));
  let k = 0;
  const zero = g.batch * g.height * g.width;
  eachBlockPixel(g, plan, (b, y, x) => {
    const inside = y >= 0 && y < g.height && x >= 0 && x < g.width;
    index[k++] = inside ? (b * g.height + y) * g.width + x : zero;
  });
  return index;
}

/** Where each pixel of the image stands among the blocks; pixels that no window reads, at the zero row behind them. */
function imageFromBlocks(g: ConvGeometry, plan: WinogradPlan): Int32Array {
  const rows = plan.y.blocks * plan.x.blocks * g.batch * blockSize(g);
  const index = new Int32Array(g.batch * g.height * g.width).fill(rows);
  let row = 0;
  eachBlockPixel(g, plan, (b, y, x) => {
    if (y >= 0 && y < g.height && x >= 0 && x < g.width) index[(b * g.height + y) * g.width + x] = row;
    row++;
  });
  return index;
}

function eachBlockPixel(
  g: ConvGeometry,
  { y: ay, x: ax }: WinogradPlan,
  visit: (image: number, y: number, x: number) => void,
): void {
  for (let gy = 0; gy < ay.blocks; gy++)
    for (let gx = 0; gx < ax.blocks; gx++)
      for (let b = 0; b < g.batch; b++)
        for (let sy = 0; sy < ay.stride; sy++)
          for (let sx = 0; sx < ax.stride; sx++)
            visit(b, gy * ay.stride + sy - ay.pad, gx * ax.stride + sx - ax.pad);
}
