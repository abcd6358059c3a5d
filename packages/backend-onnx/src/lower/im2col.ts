import type { LowerContext } from './context';

/** A 2-D convolution of NHWC images, with everything that decides where a tap reads. */
export interface ConvGeometry {
  batch: number;
  height: number;
  width: number;
  channels: number;
  outHeight: number;
  outWidth: number;
  outChannels: number;
  kernelHeight: number;
  kernelWidth: number;
  strideHeight: number;
  strideWidth: number;
  dilationHeight: number;
  dilationWidth: number;
  padTop: number;
  padLeft: number;
}

/** One output position reads, at tap t, row `offset + stride·position` of the source along each axis. */
export interface TapPlan {
  /** Source image size. */
  height: number;
  width: number;
  /** Positions to compute. */
  outHeight: number;
  outWidth: number;
  strideHeight: number;
  strideWidth: number;
  /** Where each tap reads for position (0, 0). */
  taps: ReadonlyArray<{ y: number; x: number }>;
}

/** Bytes of gathered columns per piece: small enough for the caches, large enough to feed two threads. */
const PIECE_BYTES = 8 << 20;

export interface ColumnPiece {
  /** Name of the columns, `[rows, taps · channels]`. */
  columns: string;
  /** First image of the piece, and how many there are. */
  from: number;
  images: number;
}

/**
 * Gathers columns for a product with a filter matrix, in pieces of a few megabytes over the batch.
 * `rows` names the source as `[batch · height · width, channels]`. Positions outside the image read a row of zeros.
 */
export function im2col(
  c: LowerContext,
  rows: string,
  batch: number,
  channels: number,
  plan: TapPlan,
): ColumnPiece[] {
  const perImage = plan.outHeight * plan.outWidth * plan.taps.length;
  const pieces = Math.min(batch, Math.max(1, Math.ceil((batch * perImage * channels * 4) / PIECE_BYTES)));
  const images = Math.ceil(batch / pieces);
  const source = isPadded(plan) ? c.op('Concat', [rows, zeroRow(c, channels)], { axis: 0 }) : rows;
  const result: ColumnPiece[] = [];
  for (let from = 0; from < batch; from += images) {
    const count = Math.min(images, batch - from);
    const key = `taps:${JSON.stringify(plan)}:${batch}:${from}:${count}`;
    const index = c.g.constantOnce(key, 'int32', () => ({
      dims: [count * perImage],
      values: tapIndices(plan, batch, from, count),
    }));
    const gathered = c.op('Gather', [source, index], { axis: 0 });
    const columns = c.reshape(gathered, [
      count * plan.outHeight * plan.outWidth,
      plan.taps.length * channels,
    ]);
    result.push({ columns, from, images: count });
  }
  return result;
}

/** What taps outside the image read, `[1, channels]`. */
export function zeroRow(c: LowerContext, channels: number): string {
  return c.g.constantOnce(`zeros${channels}`, 'float32', () => ({
    dims: [1, channels],
    values: new Float32Array(channels),
  }));
}

function isPadded({ height, width, outHeight, outWidth, strideHeight, strideWidth, taps }: TapPlan): boolean {
  return taps.some(
    ({ y, x }) =>
      y < 0 ||
      x < 0 ||
      y + strideHeight * (outHeight - 1) >= height ||
      x + strideWidth * (outWidth - 1) >= width,
  );
}

/** Row numbers in `[batch · height · width (+ 1 zero row)]`, ordered image, y, x, tap. */
function tapIndices(plan: TapPlan, batch: number, from: number, count: number): Int32Array {
  const { height, width, outHeight, outWidth, strideHeight, strideWidth, taps } = plan;
  const zero = batch * height * width;
  const index = new Int32Array(count * outHeight * outWidth * taps.length);
  let k = 0;
  for (let b = from; b < from + count; b++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        for (const tap of taps) {
          const y = tap.y + i * strideHeight;
          const x = tap.x + j * strideWidth;
          const inside = y >= 0 && y < height && x >= 0 && x < width;
          index[k++] = inside ? (b * height + y) * width + x : zero;
        }
      }
    }
  }
  return index;
}
