import type { LowerContext, Lowering } from './context';
import { geometry } from './conv2d';
import { type ConvGeometry, im2col } from './im2col';
import { sumRows } from './reduce';

/*
 * Depthwise convolutions. Filter [kh, kw, channels, multiplier]: output channel c · multiplier + m sees channel c only.
 */

/** Kernels of at most so many taps may be summed tap by tap. */
const FEW_TAPS = 9;
/** Image sizes up to which that is faster than the runtime's grouped Conv, which is at its best on large planes. */
const SMALL_PLANE = 256;

const multiplierOf = (g: ConvGeometry) => g.outChannels / g.channels;

/** Taps pay where outputs are few: the Conv computes on a transposed copy of the whole image. */
function byTaps(g: ConvGeometry): boolean {
  const strided = g.strideHeight * g.strideWidth > 1;
  return (
    g.kernelHeight * g.kernelWidth <= FEW_TAPS &&
    g.channels >= 32 &&
    (strided || g.outHeight * g.outWidth <= SMALL_PLANE)
  );
}

/** What each tap sees: for every piece of the batch the rows `[positions, channels]`, tap by tap. */
function tapRows(c: LowerContext, x: string, g: ConvGeometry) {
  const rows = c.reshape(x, [g.batch * g.height * g.width, g.channels]);
  const { height, width, outHeight, outWidth, strideHeight, strideWidth } = g;
  const taps = Array.from({ length: g.kernelHeight * g.kernelWidth }, (_, t) =>
    im2col(c, rows, g.batch, g.channels, {
      ...{ height, width, outHeight, outWidth, strideHeight, strideWidth },
      taps: [
        {
          y: Math.floor(t / g.kernelWidth) * g.dilationHeight - g.padTop,
          x: (t % g.kernelWidth) * g.dilationWidth - g.padLeft,
        },
      ],
    }),
  );
  return taps[0]!.map(({ from, images }, piece) => ({
    from,
    images,
    rows: images * outHeight * outWidth,
    taps: taps.map((pieces) => pieces[piece]!.columns),
  }));
}

/** `filter` is tap by tap: `[taps, channels, multiplier]`. */
function sumOfTaps(c: LowerContext, x: string, filter: string, g: ConvGeometry): string {
  const multiplier = multiplierOf(g);
  const pieces = tapRows(c, x, g).map(({ rows, taps }) =>
    taps
      .map((tap, t) => {
        const weights = c.slice(filter, [t], [t + 1], [0]); // [1, channels, multiplier]
        const seen = multiplier === 1 ? tap : c.reshape(tap, [rows, g.channels, 1]);
        return c.op('Mul', [seen, multiplier === 1 ? c.reshape(weights, [1, g.channels]) : weights]);
      })
      .reduce((a, b) => c.op('Add', [a, b])),
  );
  return c.reshape(c.concat(pieces, 0), c.out.shape);
}

/** Padding behind the last element with which the runtime gets the same number of outputs. */
function endPads(g: ConvGeometry): [bottom: number, right: number] {
  const reach = (n: number, k: number, s: number, d: number) => (n - 1) * s + (k - 1) * d + 1;
  return [
    reach(g.outHeight, g.kernelHeight, g.strideHeight, g.dilationHeight) - g.height - g.padTop,
    reach(g.outWidth, g.kernelWidth, g.strideWidth, g.dilationWidth) - g.width - g.padLeft,
  ];
}

function convAttributes(g: ConvGeometry) {
  const [bottom, right] = endPads(g);
  return {
    group: g.channels,
    kernel_shape: [g.kernelHeight, g.kernelWidth],
    strides: [g.strideHeight, g.strideWidth],
    dilations: [g.dilationHeight, g.dilationWidth],
    pads: [g.padTop, g.padLeft, Math.max(0, bottom), Math.max(0, right)],
  };
}

/** `[taps, channels, multiplier]` */
function tapsOf(c: LowerContext, g: ConvGeometry): string {
  return c.reshape(c.in(1), [g.kernelHeight * g.kernelWidth, g.channels, multiplierOf(g)]);
}

/** The filter as the runtime's grouped convolutions want it. */
function planes(c: LowerContext, filter: string, g: ConvGeometry): string {
  return c.reshape(c.transpose(filter, [2, 3, 0, 1]), [g.outChannels, 1, g.kernelHeight, g.kernelWidth]);
}

const forward: Lowering = (c) => {
  const g = geometry(c);
  if (byTaps(g)) return sumOfTaps(c, c.in(0), tapsOf(c, g), g);
  const x = c.transpose(c.in(0), [0, 3, 1, 2]);
  const y = c.op('Conv', [x, planes(c, c.in(1), g)], convAttributes(g));
  const image = c.transpose(y, [0, 2, 3, 1]);
  const [bottom, right] = endPads(g);
  if (bottom >= 0 && right >= 0) return image;
  return c.slice(image, [0, 0], [g.outHeight, g.outWidth], [1, 2]);
};

/** Backwards, a convolution without strides is another one, with its filter turned around. */
function turned(g: ConvGeometry): ConvGeometry | undefined {
  const reach = (kernel: number, dilation: number) => (kernel - 1) * dilation;
  const [padTop, padLeft] = [
    reach(g.kernelHeight, g.dilationHeight) - g.padTop,
    reach(g.kernelWidth, g.dilationWidth) - g.padLeft,
  ];
  const back = {
    ...g,
    ...{ height: g.outHeight, width: g.outWidth, channels: g.outChannels },
    ...{ outHeight: g.height, outWidth: g.width, outChannels: g.channels },
    ...{ padTop, padLeft },
  };
  const fits = g.strideHeight === 1 && g.strideWidth === 1 && padTop >= 0 && padLeft >= 0;
  return fits && endPads(back).every((n) => n >= 0) ? back : undefined;
}

/** Inputs: dy, filter. */
const inputGradient: Lowering = (c) => {
  const g = geometry(c);
  const back = turned(g);
  if (back) {
    const taps = g.kernelHeight * g.kernelWidth;
    const order = Int32Array.from({ length: taps }, (_, t) => taps - 1 - t);
    const filter = c.op('Gather', [tapsOf(c, g), c.g.constant('int32', [taps], order)], { axis: 0 });
    if (multiplierOf(g) === 1 && byTaps(back)) return sumOfTaps(c, c.in(0), filter, back);
    const weights = c.reshape(c.transpose(filter, [1, 2, 0]), [
      g.channels,
      multiplierOf(g),
      g.kernelHeight,
      g.kernelWidth,
    ]);
    const dy = c.transpose(c.in(0), [0, 3, 1, 2]);
    const attributes = { ...convAttributes(back), group: g.channels };
    return c.transpose(c.op('Conv', [dy, weights], attributes), [0, 2, 3, 1]);
  }
  const dy = c.transpose(c.in(0), [0, 3, 1, 2]);
  const full = c.op('ConvTranspose', [dy, planes(c, c.in(1), g)], convAttributes(g));
  const image = c.transpose(full, [0, 2, 3, 1]);
  // Rows and columns that no window reads.
  const [bottom, right] = endPads(g).map((n) => Math.max(0, -n)) as [number, number];
  if (bottom === 0 && right === 0) return image;
  return c.op('Pad', [image, c.g.ints([0, 0, 0, 0, 0, bottom, right, 0]), c.g.scalar(0)], {
    mode: 'constant',
  });
};

/** Inputs: x, dy. For each tap the products of dy with what the tap saw, summed over all positions. */
const filterGradient: Lowering = (c) => {
  const g = geometry(c);
  const multiplier = multiplierOf(g);
  const positions = g.outHeight * g.outWidth;
  const dy = c.reshape(c.in(1), [g.batch * positions, g.channels, multiplier]);
  const pieces = tapRows(c, c.in(0), g);
  const sums = pieces.map(({ from, rows, taps }) => {
    const slopes = pieces.length === 1 ? dy : c.slice(dy, [from * positions], [from * positions + rows], [0]);
    return taps.map((tap) => {
      const products = c.op('Mul', [c.reshape(tap, [rows, g.channels, 1]), slopes]);
      return sumRows(c, products, rows, g.outChannels);
    });
  });
  const all = sums.map((taps) => c.concat(taps, 0)).reduce((a, b) => c.op('Add', [a, b]));
  return c.reshape(all, c.out.shape);
};

export const depthwise: Record<string, Lowering> = {
  DepthwiseConv2D: forward,
  DepthwiseConv2DInputGradient: inputGradient,
  DepthwiseConv2DFilterGradient: filterGradient,
};
