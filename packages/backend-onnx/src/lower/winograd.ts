import type { LowerContext } from './context';
import { type ConvGeometry, zeroRow } from './im2col';

/**
 * Winograd's F(2×2, 2×2) for 4×4 convolutions with stride 2: on the grid of 2×2 pixel blocks such a convolution is a
 * 2×2 one with stride 1, of which a 2×2 tile of outputs takes 9 products instead of 16 (Lavin and Gray, 2016).
 *
 * Everything is pixel-major, `[pixel, batch · channels]`, so each transform is one product with a small constant matrix.
 * Forward, input gradient and filter gradient share their transforms (ONNX Runtime merges equal nodes): columns `V` of
 * the image, `U` of the filter, `dYt` of the output gradient are each used twice.
 */

/** One dimension: outputs (y₀, y₁) from inputs (d₀, d₁, d₂) and filter (g₀, g₁), by three products. */
const INPUT = [
  [1, -1, 0],
  [0, 1, 0],
  [0, 1, -1],
] as const; // products × d
const FILTER = [
  [1, 0],
  [1, 1],
  [0, 1],
] as const; // products × g
const OUTPUT = [
  [1, 1, 0],
  [0, 1, -1],
] as const; // y × products

/** Outputs beyond this many tiles an image cost more in the dense transform than the products save. */
const MOST_TILES = 4;

/** Whether the convolution has the shape, and is large enough in channels and small enough in pixels, to gain. */
export function isWinograd(g: ConvGeometry): boolean {
  const tiles = (g.outHeight / 2) * (g.outWidth / 2);
  return (
    g.kernelHeight === 4 &&
    g.kernelWidth === 4 &&
    g.strideHeight === 2 &&
    g.strideWidth === 2 &&
    g.dilationHeight === 1 &&
    g.dilationWidth === 1 &&
    g.padTop === 1 &&
    g.padLeft === 1 &&
    g.height === 2 * g.outHeight &&
    g.width === 2 * g.outWidth &&
    Number.isInteger(tiles) &&
    g.outHeight % 2 === 0 &&
    tiles <= MOST_TILES &&
    g.channels >= 64 &&
    g.outChannels >= 64 &&
    g.batch >= 16
  );
}

/** y `[batch, outHeight, outWidth, outChannels]`, as rows of channels. */
export function winogradForward(c: LowerContext, x: string, filter: string, g: ConvGeometry): string {
  const products = c.matmul(imageTransform(c, x, g), filterTransform(c, filter, g)); // [9, tiles · batch, out]
  const pixels = c.matmul(matrix(c, g, 'A'), c.reshape(products, [9 * tilesOf(g), g.batch * g.outChannels]));
  return fromPixelMajor(c, pixels, g);
}

/** dx `[batch, height, width, channels]`. */
export function winogradInputGradient(c: LowerContext, dy: string, filter: string, g: ConvGeometry): string {
  const dV = c.matmul(outputTransform(c, dy, g), filterTransform(c, filter, g), { transB: true }); // [9, tiles · batch, 4 · in]
  const blocks = c.matmul(matrix(c, g, 'Tt'), c.reshape(dV, [9 * tilesOf(g), g.batch * 4 * g.channels]));
  const rows = c.reshape(blocks, [gridSize(g) * g.batch * 4, g.channels]);
  const index = c.g.constantOnce(`winograd-image:${shapeKey(g)}`, 'int32', () => ({
    dims: [g.batch * g.height * g.width],
    values: imageFromBlocks(g),
  }));
  return c.op('Gather', [rows, index], { axis: 0 });
}

/** dw `[4, 4, channels, outChannels]`. */
export function winogradFilterGradient(c: LowerContext, x: string, dy: string, g: ConvGeometry): string {
  const dU = c.matmul(imageTransform(c, x, g), outputTransform(c, dy, g), { transA: true }); // [9, 4 · in, out]
  const transform = c.g.constantOnce('winograd-filter-t', 'float32', () => ({
    dims: [4, 9],
    values: transposed(filterMatrix(), 9, 4),
  }));
  const taps = c.matmul(transform, c.reshape(dU, [9, 4 * g.channels * g.outChannels]));
  const blocks = c.reshape(taps, [2, 2, 2, 2, g.channels * g.outChannels]); // block y, block x, y, x
  return c.transpose(blocks, [0, 2, 1, 3, 4]);
}

/** V `[9, tiles · batch, 4 · channels]`. */
function imageTransform(c: LowerContext, x: string, g: ConvGeometry): string {
  const rows = c.reshape(x, [g.batch * g.height * g.width, g.channels]);
  const zero = zeroRow(c, g.channels);
  const index = c.g.constantOnce(`winograd-blocks:${shapeKey(g)}`, 'int32', () => ({
    dims: [gridSize(g) * g.batch * 4],
    values: blocksFromImage(g),
  }));
  const gathered = c.op('Gather', [c.op('Concat', [rows, zero], { axis: 0 }), index], { axis: 0 });
  const blocks = c.reshape(gathered, [gridSize(g), g.batch * 4 * g.channels]);
  return c.reshape(c.matmul(matrix(c, g, 'T'), blocks), [9, tilesOf(g) * g.batch, 4 * g.channels]);
}

/** U `[9, 4 · channels, outChannels]`. */
function filterTransform(c: LowerContext, filter: string, g: ConvGeometry): string {
  const size = g.channels * g.outChannels;
  const split = c.reshape(filter, [2, 2, 2, 2, size]); // block y, y, block x, x
  const taps = c.reshape(c.transpose(split, [0, 2, 1, 3, 4]), [4, 4 * size]);
  const transform = c.g.constantOnce('winograd-filter', 'float32', () => ({
    dims: [9, 4],
    values: filterMatrix(),
  }));
  return c.reshape(c.matmul(transform, taps), [9, 4 * g.channels, g.outChannels]);
}

/** dYt `[9, tiles · batch, outChannels]`. */
function outputTransform(c: LowerContext, dy: string, g: ConvGeometry): string {
  const image = c.reshape(dy, [g.batch, g.outHeight * g.outWidth, g.outChannels]);
  const pixels = c.reshape(c.transpose(image, [1, 0, 2]), [
    g.outHeight * g.outWidth,
    g.batch * g.outChannels,
  ]);
  return c.reshape(c.matmul(matrix(c, g, 'At'), pixels), [9, tilesOf(g) * g.batch, g.outChannels]);
}

function fromPixelMajor(c: LowerContext, pixels: string, g: ConvGeometry): string {
  return c.transpose(c.reshape(pixels, [g.outHeight * g.outWidth, g.batch, g.outChannels]), [1, 0, 2]);
}

const tilesOf = (g: ConvGeometry) => (g.outHeight / 2) * (g.outWidth / 2);
const gridSize = (g: ConvGeometry) => (g.outHeight + 1) * (g.outWidth + 1);
const shapeKey = (g: ConvGeometry) => [g.batch, g.outHeight, g.outWidth].join();

/** T: blocks → products (and its transpose); A: products → outputs (and its transpose). Products are (fy, fx, ty, tx). */
function matrix(c: LowerContext, g: ConvGeometry, which: 'T' | 'Tt' | 'A' | 'At'): string {
  const rows = 9 * tilesOf(g);
  const columns = which[0] === 'T' ? gridSize(g) : g.outHeight * g.outWidth;
  return c.g.constantOnce(`winograd-${which}:${g.outHeight},${g.outWidth}`, 'float32', () => {
    const values =
      which[0] === 'T'
        ? spread(g, g.outHeight + 1, g.outWidth + 1, (f, d) => INPUT[f]?.[d])
        : spread(g, g.outHeight, g.outWidth, (f, y) => OUTPUT[y]?.[f]);
    const flip = which === 'Tt' || which === 'A';
    return flip
      ? { dims: [columns, rows], values: transposed(values, rows, columns) }
      : { dims: [rows, columns], values };
  });
}

/** The two-dimensional transform of every tile: product (f, tile) reads position p with `weight(f, p − 2 · tile)`. */
function spread(
  g: ConvGeometry,
  height: number,
  width: number,
  weight: (f: number, offset: number) => number | undefined,
): Float32Array {
  const values: number[] = [];
  for (let fy = 0; fy < 3; fy++)
    for (let fx = 0; fx < 3; fx++)
      for (let ty = 0; ty < g.outHeight / 2; ty++)
        for (let tx = 0; tx < g.outWidth / 2; tx++)
          for (let y = 0; y < height; y++)
            for (let x = 0; x < width; x++)
              values.push((weight(fy, y - 2 * ty) ?? 0) * (weight(fx, x - 2 * tx) ?? 0));
  return Float32Array.from(values);
}

function filterMatrix(): Float32Array {
  const values: number[] = [];
  for (const y of FILTER)
    for (const x of FILTER) for (const by of y) for (const bx of x) values.push(by * bx);
  return Float32Array.from(values);
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(
    { length: rows * columns },
    (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!,
  );
}

/** Image row (or the zero row behind the image) of each (block y, block x, image, y, x). */
function blocksFromImage(g: ConvGeometry): Int32Array {
  const index: number[] = [];
  const zero = g.batch * g.height * g.width;
  eachBlockPixel(g, (b, y, x) => {
    const inside = y >= 0 && y < g.height && x >= 0 && x < g.width;
    index.push(inside ? (b * g.height + y) * g.width + x : zero);
  });
  return Int32Array.from(index);
}

/** Where each pixel of the image stands among the blocks. */
function imageFromBlocks(g: ConvGeometry): Int32Array {
  const index = new Int32Array(g.batch * g.height * g.width);
  let row = 0;
  eachBlockPixel(g, (b, y, x) => {
    if (y >= 0 && y < g.height && x >= 0 && x < g.width) index[(b * g.height + y) * g.width + x] = row;
    row++;
  });
  return index;
}

function eachBlockPixel(g: ConvGeometry, visit: (image: number, y: number, x: number) => void): void {
  for (let gy = 0; gy <= g.outHeight; gy++)
    for (let gx = 0; gx <= g.outWidth; gx++)
      for (let b = 0; b < g.batch; b++)
        for (let sy = 0; sy < 2; sy++)
          for (let sx = 0; sx < 2; sx++) visit(b, 2 * gy + sy - 1, 2 * gx + sx - 1);
}
