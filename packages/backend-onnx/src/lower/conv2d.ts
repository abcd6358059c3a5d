import type { LowerContext, Lowering } from './context';
import { algorithmOf, scatters } from './conv-algorithm';
import { scatterInputGradient } from './conv-scatter';
import { type ConvGeometry, im2col, type TapPlan } from './im2col';
import { winogradFilterGradient, winogradForward, winogradInputGradient } from './winograd';

const conv2d: Lowering = (c) => {
  const g = geometry(c);
  const taps = g.kernelHeight * g.kernelWidth * g.channels;
  const algorithm = algorithmOf(g);
  // A pointwise one is a product too, but neighbours of the same layout gain more than that.
  const pointwise = g.kernelHeight === 1 && g.kernelWidth === 1;
  if (c.constant(1) && (algorithm !== 'product' || pointwise)) return convWithConstant(c, g);
  const filter = c.reshape(c.in(1), [taps, g.outChannels]);
  if (algorithm === 'product') {
    const x = c.reshape(c.in(0), [g.batch * g.outHeight * g.outWidth, taps]);
    return c.reshape(c.matmul(x, filter), c.out.shape);
  }
  if (algorithm !== 'columns')
    return c.reshape(winogradForward(c, c.in(0), c.in(1), g, algorithm), c.out.shape);
  const pieces = columnsOf(c, c.in(0), g).map(({ columns }) => c.matmul(columns, filter));
  return c.reshape(c.concat(pieces, 0), c.out.shape);
};

/**
 * ONNX Runtime's own convolution, which packs a constant filter for its kernel. Its transposes cancel with those of
 * neighbouring convolutions, also across elementwise operations, which it then computes along.
 */
function convWithConstant(c: LowerContext, g: ConvGeometry): string {
  const reach = (out: number, kernel: number, stride: number, dilation: number) =>
    (out - 1) * stride + (kernel - 1) * dilation + 1;
  const bottom = reach(g.outHeight, g.kernelHeight, g.strideHeight, g.dilationHeight) - g.height - g.padTop;
  const right = reach(g.outWidth, g.kernelWidth, g.strideWidth, g.dilationWidth) - g.width - g.padLeft;
  const y = c.op('Conv', [c.transpose(c.in(0), [0, 3, 1, 2]), c.transpose(c.in(1), [3, 2, 0, 1])], {
    kernel_shape: [g.kernelHeight, g.kernelWidth],
    strides: [g.strideHeight, g.strideWidth],
    dilations: [g.dilationHeight, g.dilationWidth],
    pads: [g.padTop, g.padLeft, Math.max(0, bottom), Math.max(0, right)],
  });
  return c.transpose(y, [0, 2, 3, 1]);
}

/** Inputs: x, dy. The same columns as the forward pass, transposed, times the gradient of the output. */
const filterGradient: Lowering = (c) => {
  const g = geometry(c);
  const taps = g.kernelHeight * g.kernelWidth * g.channels;
  const positions = g.outHeight * g.outWidth;
  const dy = c.reshape(c.in(1), [g.batch * positions, g.outChannels]);
  const algorithm = algorithmOf(g);
  if (algorithm === 'product') {
    const x = c.reshape(c.in(0), [g.batch * positions, taps]);
    return c.reshape(c.matmul(x, dy, { transA: true }), c.out.shape);
  }
  if (algorithm !== 'columns')
    return c.reshape(winogradFilterGradient(c, c.in(0), c.in(1), g, algorithm), c.out.shape);
  const pieces = columnsOf(c, c.in(0), g);
  const partial = pieces.map(({ columns, from, images }) => {
    const part =
      pieces.length === 1 ? dy : c.slice(dy, [from * positions], [(from + images) * positions], [0]);
    return c.matmul(columns, part, { transA: true });
  });
  const sum = partial.reduce((a, b) => c.op('Add', [a, b]));
  return c.reshape(sum, c.out.shape);
};

/**
 * Inputs: dy, filter. The transposed convolution, by phases: input positions that agree modulo the stride see the same
 * taps, so each phase is a dense stride-1 convolution over dy, and the phases interleave to the image.
 */
const inputGradient: Lowering = (c) => {
  const g = geometry(c);
  const { batch, height, width, channels, outHeight, outWidth, outChannels } = g;
  const taps = g.kernelHeight * g.kernelWidth;
  const algorithm = algorithmOf(g);
  if (algorithm === 'product') {
    const dy = c.reshape(c.in(0), [batch * outHeight * outWidth, outChannels]);
    const filter = c.reshape(c.in(1), [taps * channels, outChannels]);
    return c.reshape(c.matmul(dy, filter, { transB: true }), c.out.shape);
  }
  if (algorithm !== 'columns')
    return c.reshape(winogradInputGradient(c, c.in(0), c.in(1), g, algorithm), c.out.shape);
  if (scatters(g)) return c.reshape(scatterInputGradient(c, c.in(0), c.in(1), g), c.out.shape);
  const rows = c.reshape(c.in(0), [batch * outHeight * outWidth, outChannels]);
  const filters = c.transpose(c.reshape(c.in(1), [taps, channels, outChannels]), [0, 2, 1]); // [taps, out, in]
  const phaseHeight = Math.ceil(height / g.strideHeight);
  const phaseWidth = Math.ceil(width / g.strideWidth);

  const lines: string[] = [];
  for (let py = 0; py < g.strideHeight; py++) {
    const phases: string[] = [];
    for (let px = 0; px < g.strideWidth; px++) {
      const phase = phaseOf(g, py, px);
      phases.push(
        c.reshape(phaseConv(c, rows, filters, g, phase, phaseHeight, phaseWidth), [
          batch * phaseHeight * phaseWidth,
          1,
          channels,
        ]),
      );
    }
    // Neighbours along x: [batch · h · w, stride, channels] is a row of the image already.
    lines.push(
      c.reshape(c.concat(phases, 1), [batch * phaseHeight, 1, phaseWidth * g.strideWidth * channels]),
    );
  }
  const full = [batch, phaseHeight * g.strideHeight, phaseWidth * g.strideWidth, channels];
  const image = c.reshape(c.concat(lines, 1), full);
  if (full[1] === height && full[2] === width) return image;
  return c.slice(image, [0, 0], [height, width], [1, 2]);
};

/** Taps that reach input positions `(py, px) + stride · k`, and where they read in dy for k = 0. */
function phaseOf(g: ConvGeometry, py: number, px: number) {
  const axis = (position: number, pad: number, kernel: number, dilation: number, stride: number) =>
    Array.from({ length: kernel }, (_, k) => ({ k, at: (position + pad - k * dilation) / stride })).filter(
      ({ at }) => Number.isInteger(at),
    );
  const ys = axis(py, g.padTop, g.kernelHeight, g.dilationHeight, g.strideHeight);
  const xs = axis(px, g.padLeft, g.kernelWidth, g.dilationWidth, g.strideWidth);
  return ys.flatMap((y) => xs.map((x) => ({ tap: y.k * g.kernelWidth + x.k, y: y.at, x: x.at })));
}

function phaseConv(
  c: LowerContext,
  rows: string,
  filters: string,
  g: ConvGeometry,
  phase: ReadonlyArray<{ tap: number; y: number; x: number }>,
  phaseHeight: number,
  phaseWidth: number,
): string {
  const { batch, channels, outHeight, outWidth, outChannels } = g;
  if (phase.length === 0)
    return c.op('ConstantOfShape', [c.g.ints([batch * phaseHeight * phaseWidth, channels])]);
  const chosen = c.op(
    'Gather',
    [
      filters,
      c.g.constant(
        'int32',
        [phase.length],
        phase.map(({ tap }) => tap),
      ),
    ],
    { axis: 0 },
  );
  const filter = c.reshape(chosen, [phase.length * outChannels, channels]);
  const plan: TapPlan = {
    height: outHeight,
    width: outWidth,
    outHeight: phaseHeight,
    outWidth: phaseWidth,
    strideHeight: 1,
    strideWidth: 1,
    taps: phase.map(({ y, x }) => ({ y, x })),
  };
  const pieces = im2col(c, rows, batch, outChannels, plan).map(({ columns }) => c.matmul(columns, filter));
  return c.concat(pieces, 0);
}

function columnsOf(c: LowerContext, x: string, g: ConvGeometry) {
  const paired = pairedColumns(c, x, g);
  if (paired) return paired;
  const taps = Array.from({ length: g.kernelHeight * g.kernelWidth }, (_, t) => ({
    y: Math.floor(t / g.kernelWidth) * g.dilationHeight - g.padTop,
    x: (t % g.kernelWidth) * g.dilationWidth - g.padLeft,
  }));
  const plan: TapPlan = {
    height: g.height,
    width: g.width,
    outHeight: g.outHeight,
    outWidth: g.outWidth,
    strideHeight: g.strideHeight,
    strideWidth: g.strideWidth,
    taps,
  };
  const rows = c.reshape(x, [g.batch * g.height * g.width, g.channels]);
  return im2col(c, rows, g.batch, g.channels, plan);
}

/**
 * Columns of a strided convolution whose kernel is a whole number of strides wide: `stride` neighbouring taps lie side
 * by side in memory, so one gathered row holds them all. Fewer, longer copies; with one channel the difference is large.
 */
function pairedColumns(c: LowerContext, x: string, g: ConvGeometry) {
  const s = g.strideWidth;
  if (s === 1 || g.kernelWidth % s !== 0 || g.dilationWidth !== 1) return undefined;
  const reach = (out: number, kernel: number, stride: number, dilation: number) =>
    (out - 1) * stride + (kernel - 1) * dilation + 1;
  const height = Math.max(
    g.padTop + g.height,
    reach(g.outHeight, g.kernelHeight, g.strideHeight, g.dilationHeight),
  );
  const width = Math.ceil(Math.max(g.padLeft + g.width, reach(g.outWidth, g.kernelWidth, s, 1)) / s) * s;
  const pads = [0, g.padTop, g.padLeft, 0, 0, height - g.padTop - g.height, width - g.padLeft - g.width, 0];
  const image = c.reshape(x, [g.batch, g.height, g.width, g.channels]);
  const padded = pads.some((p) => p > 0)
    ? c.op('Pad', [image, c.g.ints(pads), c.g.scalar(0)], { mode: 'constant' })
    : image;
  const groups = g.kernelWidth / s;
  const plan: TapPlan = {
    height,
    width: width / s,
    outHeight: g.outHeight,
    outWidth: g.outWidth,
    strideHeight: g.strideHeight,
    strideWidth: 1,
    taps: Array.from({ length: g.kernelHeight * groups }, (_, t) => ({
      y: Math.floor(t / groups) * g.dilationHeight,
      x: t % groups,
    })),
  };
  const rows = c.reshape(padded, [g.batch * height * (width / s), s * g.channels]);
  return im2col(c, rows, g.batch, s * g.channels, plan);
}

/** The geometry travels as one list attribute, in the order of `CONV_FIELDS`. */
export const CONV_FIELDS = [
  'batch',
  'height',
  'width',
  'channels',
  'outHeight',
  'outWidth',
  'outChannels',
  'kernelHeight',
  'kernelWidth',
  'strideHeight',
  'strideWidth',
  'dilationHeight',
  'dilationWidth',
  'padTop',
  'padLeft',
] as const satisfies ReadonlyArray<keyof ConvGeometry>;

export function geometry(c: LowerContext): ConvGeometry {
  const values = c.numbers('geometry');
  return Object.fromEntries(CONV_FIELDS.map((field, i) => [field, values[i]!])) as Record<
    keyof ConvGeometry,
    number
  >;
}

export const convolutions: Record<string, Lowering> = {
  Conv2D: conv2d,
  Conv2DInputGradient: inputGradient,
  Conv2DFilterGradient: filterGradient,
};
