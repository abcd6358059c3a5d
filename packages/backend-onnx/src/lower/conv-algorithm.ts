import type { ConvGeometry } from './im2col';
import { type WinogradPlan, winogradPlan } from './winograd';

/**
 * How a convolution is computed: as one matrix `product` as it stands, by gathered `columns` times the filter, or by
 * Winograd with a plan. Its gradients go the same way, so that they share what the forward pass has made.
 */
export type ConvAlgorithm = 'product' | 'columns' | WinogradPlan;

/** Tiles that are tried, in outputs along each axis. */
const TILES = [2, 3, 4];

/** Chooses by estimated time. */
export function algorithmOf(g: ConvGeometry): ConvAlgorithm {
  if (isProduct(g)) return 'product';
  let best: ConvAlgorithm = 'columns';
  let least = columnsTime(g);
  for (const outputs of TILES) {
    const plan = winogradPlan(g, outputs);
    if (!plan) continue;
    const time = winogradTime(g, plan);
    if (time < least) {
      least = time;
      best = plan;
    }
  }
  return best;
}

/** 1×1, or a kernel that covers the whole image. */
function isProduct(g: ConvGeometry): boolean {
  const dense = g.dilationHeight === 1 && g.dilationWidth === 1 && g.padTop === 0 && g.padLeft === 0;
  const pointwise =
    g.kernelHeight === 1 &&
    g.kernelWidth === 1 &&
    g.strideHeight === 1 &&
    g.strideWidth === 1 &&
    g.outHeight === g.height &&
    g.outWidth === g.width;
  const covering =
    g.outHeight === 1 && g.outWidth === 1 && g.kernelHeight === g.height && g.kernelWidth === g.width;
  return dense && (pointwise || covering);
}

// Times in nanoseconds on two AVX-512 cores. Only their ratios matter, and those are much the same elsewhere.
const FLOP = 0.0056; // of a large product
const TRANSFORM_FLOP = 0.008; // of a product with a small matrix
const WRITE = 0.04; // of a byte by Gather, or of a product's result
const PACK = 0.04; // of a byte of the right-hand matrix, once for each product that reads it
const NODE = 8000; // of an operator, however small

function columnsTime(g: ConvGeometry): number {
  const rows = g.batch * g.outHeight * g.outWidth;
  const taps = g.kernelHeight * g.kernelWidth * g.channels;
  return 3 * NODE + WRITE * 4 * rows * taps + productTime(rows, taps, g.outChannels, 1);
}

/** Whether the input gradient of a `columns` convolution is scattered by products, rather than gathered by phases. */
export function scatters(g: ConvGeometry): boolean {
  const positions = g.batch * g.outHeight * g.outWidth;
  const taps = g.kernelHeight * g.kernelWidth;
  const scatterTime =
    3 * NODE +
    productTime(positions, g.outChannels, taps * g.channels, 1) +
    productTime(
      g.batch * g.outHeight,
      g.outWidth * taps * g.channels,
      g.kernelHeight * g.width * g.channels,
      1,
    ) +
    productTime(g.height, g.outHeight * g.kernelHeight, g.width * g.channels, g.batch);
  const phases = g.strideHeight * g.strideWidth;
  const rows = (g.batch * g.height * g.width) / phases;
  const columns = Math.ceil(taps / phases) * g.outChannels;
  const phaseTime =
    2 * NODE * (1 + phases) +
    phases * (WRITE * 4 * rows * columns + productTime(rows, columns, g.channels, 1));
  return scatterTime < phaseTime;
}

function winogradTime(g: ConvGeometry, { y, x }: WinogradPlan): number {
  const channels = y.stride * x.stride * g.channels;
  const [fy, fx] = [y.transform.products, x.transform.products];
  // Along y over the image's columns, then along x.
  const transform = (positionsY: number, positionsX: number, size: number) =>
    transformTime(fy * y.tiles, positionsY, positionsX * size) +
    transformTime(fx * x.tiles, positionsX, fy * y.tiles * size);
  return (
    10 * NODE +
    WRITE * 4 * y.blocks * x.blocks * g.batch * channels +
    transform(y.blocks, x.blocks, g.batch * channels) +
    transform(y.out, x.out, g.batch * g.outChannels) +
    WRITE * 4 * g.batch * y.out * x.out * g.outChannels +
    transformTime(fy * fx, y.transform.taps * x.transform.taps, channels * g.outChannels) +
    productTime(x.tiles * g.batch, channels, g.outChannels, fy * y.tiles * fx)
  );
}

/** `count` products `[m, k] · [k, n]`. */
function productTime(m: number, k: number, n: number, count: number): number {
  return count * (2 * m * k * n * FLOP + 4 * m * n * WRITE + 4 * k * n * PACK);
}

/** A product of a small matrix `[m, k]` with `[k, n]`. */
function transformTime(m: number, k: number, n: number): number {
  return 2 * m * k * n * TRANSFORM_FLOP + 4 * m * n * WRITE;
}
