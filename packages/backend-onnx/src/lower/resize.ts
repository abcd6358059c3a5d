import { sizeOf } from '../trace/graph';
import { around, mapAxis, take, type Weights, withSize } from './axis';
import type { LowerContext, Lowering } from './context';

/*
 * Resizing of channels-last images is linear along one axis after the other. `corners` maps the corner pixels' centres
 * onto each other, `half` counts coordinates from pixel centres, `plain` from pixel corners.
 */

const MODES: Record<string, string> = { corners: 'align_corners', half: 'half_pixel', plain: 'asymmetric' };

function scaleOf(input: number, output: number, mode: string): number {
  return mode === 'corners' && output > 1 ? (input - 1) / (output - 1) : input / output;
}

/** The pixel that output `o` repeats. */
function nearest(input: number, output: number, mode: string): number[] {
  const scale = scaleOf(input, output, mode);
  return Array.from({ length: output }, (_, o) => {
    const at = mode === 'half' ? (o + 0.5) * scale : o * scale;
    return Math.min(input - 1, mode === 'corners' ? Math.round(at) : Math.floor(at));
  });
}

/** The two pixels between which output `o` lies. */
function bilinear(input: number, output: number, mode: string): Weights {
  const scale = scaleOf(input, output, mode);
  return (o) => {
    const at = Math.max(0, mode === 'half' ? (o + 0.5) * scale - 0.5 : o * scale);
    const low = Math.min(input - 1, Math.floor(at));
    const part = Math.min(1, at - low);
    return [
      [low, 1 - part],
      [Math.min(input - 1, low + 1), part],
    ];
  };
}

function gradient(weightsOf: (input: number, output: number, mode: string) => Weights): Lowering {
  return (c) => {
    const mode = c.string('mode');
    let [dy, shape] = [c.in(0), c.shape(0)];
    for (const axis of [1, 2]) {
      const [input, output] = [c.out.shape[axis]!, shape[axis]!];
      dy = mapAxis(c, dy, shape, axis, input, weightsOf(input, output, mode), true);
      shape = withSize(shape, axis, input);
    }
    return dy;
  };
}

const nearestGradient: Lowering = (c) => {
  const mode = c.string('mode');
  const axes = [1, 2].map((axis) => ({ axis, input: c.out.shape[axis]!, output: c.shape(0)[axis]! }));
  const whole = axes.every(({ input, output }) =>
    nearest(input, output, mode).every((p, o) => p === Math.floor((o * input) / output)),
  );
  if (!whole || axes.some(({ input, output }) => output % input !== 0)) {
    const weights = (input: number, output: number) => {
      const index = nearest(input, output, mode);
      return (o: number) => [[index[o]!, 1]] as const;
    };
    return gradient(weights)(c);
  }
  // Enlarged by a whole factor: each pixel sums its own tile.
  let [dy, shape] = [c.in(0), c.shape(0)];
  for (const { axis, input, output } of axes) {
    dy = sumTiles(c, dy, shape, axis, input, output / input);
    shape = withSize(shape, axis, input);
  }
  return dy;
};

function sumTiles(
  c: LowerContext,
  x: string,
  shape: readonly number[],
  axis: number,
  count: number,
  size: number,
): string {
  const [outer, inner] = around(shape, axis);
  const tiles = c.reshape(x, [outer * count, size, inner]);
  const sums = c.op('ReduceSum', [tiles, c.g.ints([1])], { keepdims: 0 });
  return c.reshape(sums, withSize(shape, axis, count));
}

export const resizing: Record<string, Lowering> = {
  ResizeBilinear: (c) => {
    const attributes = { mode: 'linear', coordinate_transformation_mode: MODES[c.string('mode')]! };
    // One to one is exact without arithmetic; the runtime's operator needs two pixels to interpolate between.
    if (c.out.shape.join() === c.shape(0).join()) return c.op('Identity', [c.in(0)]);
    if (sizeOf(c.shape(0).slice(1, 3)) > 1)
      return c.op('Resize', [c.in(0), '', '', c.g.ints(c.out.shape)], attributes);
    return c.op('Expand', [c.in(0), c.g.ints(c.out.shape)]);
  },
  ResizeBilinearGradient: gradient(bilinear),
  ResizeNearest: (c) =>
    [1, 2].reduce(
      (x, axis) => take(c, x, axis, nearest(c.shape(0)[axis]!, c.out.shape[axis]!, c.string('mode'))),
      c.in(0),
    ),
  ResizeNearestGradient: nearestGradient,
};
