import { addBack, readAt, take, windowsOf, withSize } from './axis';
import type { Lowering } from './context';

/** The frames that each output frame of a 3-D convolution sees, as channels of one frame. */
export const volumes: Record<string, Lowering> = {
  /** `[batch, depth, height, width, channels]` → `[batch · outDepth, height, width, kernel · channels]` */
  DepthTaps: (c) => {
    const [w] = windowsOf(c);
    const { input, output, kernel, before } = w!;
    const [batch, , height, width, channels] = c.shape(0) as [number, number, number, number, number];
    if (kernel === 1 && output === input && before === 0) return c.reshape(c.in(0), c.out.shape);
    const positions = Array.from({ length: output * kernel }, (_, i) =>
      readAt(w!, Math.floor(i / kernel), i % kernel),
    );
    const after = Math.max(0, Math.max(...positions) - input + 1);
    const pads = [0, before, 0, 0, 0, 0, after, 0, 0, 0];
    const padded =
      before || after ? c.op('Pad', [c.in(0), c.g.ints(pads), c.g.scalar(0)], { mode: 'constant' }) : c.in(0);
    const seen = take(
      c,
      padded,
      1,
      positions.map((p) => p + before),
    );
    const frames = c.reshape(seen, [batch * output, kernel, height * width, channels]);
    return c.reshape(c.transpose(frames, [0, 2, 1, 3]), c.out.shape);
  },
  DepthTapsGradient: (c) => {
    const w = windowsOf(c)[0]!;
    const shape = c.out.shape;
    const [batch, , height, width, channels] = shape as [number, number, number, number, number];
    const taps = Array.from({ length: w.kernel }, (_, k) =>
      Array.from({ length: w.output }, (_, o) => readAt(w, o, k)),
    );
    const split = c.reshape(c.in(0), [batch, w.output, height * width, w.kernel, channels]);
    const parts = taps.map((_, k) =>
      c.reshape(c.slice(split, [k], [k + 1], [3]), withSize(shape, 1, w.output)),
    );
    return addBack(c, parts, shape, 1, w, taps);
  },
};
