import { sizeOf } from '../trace/graph';
import type { LowerContext, Lowering } from './context';

/**
 * Layer normalization of rows and its gradient.
 *
 * A scale and a shift for each row are one pass with the runtime's batch normalization, for which the rows are the
 * channels of one picture; as a product and a sum they would be two, each slower.
 */
export const layerNorms: Record<string, Lowering> = {
  /** `(x, weight, bias)` or `(x)` → the normalized rows, their mean and 1/σ, each `[..., 1]`. */
  LayerNorm: (c) => {
    const size = c.number('size');
    const row = (i: number, value: number) =>
      c.arity > 1 ? c.reshape(c.in(i), [size]) : filled(c, size, value);
    return c.g.nodeN('LayerNormalization', [c.in(0), row(1, 1), row(2, 0)], {
      attributes: { axis: -1, epsilon: { float: c.number('epsilon') } },
      outputs: 3,
    });
  },
  /** `(x, mean, 1/σ)` → `(x − mean) · 1/σ`. */
  Standardized: (c) => {
    const rows = sizeOf(c.shape(1));
    const zero = filled(c, rows, 0);
    return rowAffine(c, c.in(0), c.reshape(c.in(2), [rows]), zero, c.reshape(c.in(1), [rows]));
  },
  /** `(dy, x̂, 1/σ)` → `(dy − mean(dy) − x̂ · mean(dy · x̂)) · 1/σ`. */
  StandardizedGradient: (c) => {
    const [dy, normal] = [c.in(0), c.in(1)];
    const rows = sizeOf(c.out.shape) / c.out.shape.at(-1)!;
    const last = c.g.ints([c.out.shape.length - 1]);
    const minusMean = (x: string) => {
      const mean = c.op('ReduceMean', [x, last], { keepdims: 0 });
      return c.op('Neg', [c.out.shape.length === 2 ? mean : c.reshape(mean, [rows])]);
    };
    const along = minusMean(c.op('Mul', [dy, normal]));
    const offset = rowAffine(c, normal, along, minusMean(dy), filled(c, rows, 0));
    return c.op('Mul', [c.op('Add', [dy, offset]), c.in(2)]);
  },
};

/** `(x − mean) · scale + shift` with a number of each for every row. */
function rowAffine(c: LowerContext, x: string, scale: string, shift: string, mean: string): string {
  const { shape } = c.out;
  const size = shape.at(-1)!;
  const rows = sizeOf(shape) / size;
  const picture = c.reshape(x, [1, rows, size]);
  const inputs = [picture, scale, shift, mean, filled(c, rows, 1)];
  return c.reshape(c.op('BatchNormalization', inputs, { epsilon: { float: 0 } }), shape);
}

function filled(c: LowerContext, size: number, value: number): string {
  return c.g.constantOnce(`${value}×${size}`, 'float32', () => ({
    dims: [size],
    values: new Float32Array(size).fill(value),
  }));
}
