import { type AxisWindow, addBack, readAt, take, windowsOf, withSize } from './axis';
import type { LowerContext, Lowering } from './context';
import { sumRows } from './reduce';

/*
 * Dilation: the maximum over a window of the image plus a filter `[kh, kw, channels]`. Tap by tap, as the filter makes
 * every tap another image.
 */

/** What stands outside of the image: no filter lifts it above a pixel. */
const LOWEST = -3e38;

/** Image plus filter at each tap, `[batch, outHeight, outWidth, channels]`, in memory order of the filter. */
function lifted(c: LowerContext, [h, w]: readonly [AxisWindow, AxisWindow]): string[] {
  const channels = c.shape(0)[3]!;
  const filter = c.reshape(c.in(1), [h.kernel * w.kernel, channels]);
  const positions = (axis: AxisWindow, k: number) =>
    Array.from({ length: axis.output }, (_, o) => readAt(axis, o, k));
  const reach = (axis: AxisWindow) =>
    Math.max(0, readAt(axis, axis.output - 1, axis.kernel - 1) - axis.input + 1);
  const pads = [0, h.before, w.before, 0, 0, reach(h), reach(w), 0];
  const image = c.op('Pad', [c.in(0), c.g.ints(pads), c.g.scalar(LOWEST)], { mode: 'constant' });
  const shifted = (axis: AxisWindow, k: number) => positions(axis, k).map((p) => p + axis.before);
  return Array.from({ length: h.kernel * w.kernel }, (_, t) => {
    const rows = take(c, image, 1, shifted(h, Math.floor(t / w.kernel)));
    const seen = take(c, rows, 2, shifted(w, t % w.kernel));
    return c.op('Add', [seen, c.slice(filter, [t], [t + 1], [0])]);
  });
}

const highest = (c: LowerContext, taps: readonly string[]) => taps.reduce((a, b) => c.op('Max', [a, b]));

/** Splits dy among the taps: the first that holds the maximum gets it all. */
function shares(c: LowerContext, taps: readonly string[]): string[] {
  const max = highest(c, taps);
  let left = c.in(2);
  return taps.map((tap, t) => {
    if (t === taps.length - 1) return left;
    const holds = c.op('HardSigmoid', [c.op('Sub', [max, tap])], {
      alpha: { float: -1e30 },
      beta: { float: 1 },
    });
    const share = c.op('Mul', [left, holds]);
    left = c.op('Sub', [left, share]);
    return share;
  });
}

const pair = (c: LowerContext) => windowsOf(c) as unknown as readonly [AxisWindow, AxisWindow];

export const morphology: Record<string, Lowering> = {
  Dilation2D: (c) => highest(c, lifted(c, pair(c))),
  /** Inputs: x, filter, dy. */
  Dilation2DInputGradient: (c) => {
    const windows = pair(c);
    const [h, w] = windows;
    const parts = shares(c, lifted(c, windows));
    const places = (axis: AxisWindow) =>
      Array.from({ length: axis.kernel }, (_, k) =>
        Array.from({ length: axis.output }, (_, o) => readAt(axis, o, k)),
      );
    const rows = Array.from({ length: h.kernel }, (_, k) => {
      const row = parts.slice(k * w.kernel, (k + 1) * w.kernel);
      return addBack(c, row, withSize(c.out.shape, 1, h.output), 2, w, places(w));
    });
    return addBack(c, rows, c.out.shape, 1, h, places(h));
  },
  Dilation2DFilterGradient: (c) => {
    const windows = pair(c);
    const [batch, , , channels] = c.shape(0) as [number, number, number, number];
    const rows = batch * windows[0].output * windows[1].output;
    const sums = shares(c, lifted(c, windows)).map((share) => sumRows(c, share, rows, channels));
    return c.reshape(c.concat(sums, 0), c.out.shape);
  },
};
