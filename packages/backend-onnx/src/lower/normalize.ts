import type { LowerContext, Lowering } from './context';

/** Sums over neighbouring channels are products with a matrix of ones around the diagonal. */
function sumNeighbours(c: LowerContext, x: string): string {
  const channels = c.out.shape.at(-1)!;
  const radius = c.number('radius');
  const band = c.g.constantOnce(`band${channels},${radius}`, 'float32', () => ({
    dims: [channels, channels],
    values: Float32Array.from({ length: channels * channels }, (_, i) =>
      Math.abs((i % channels) - Math.floor(i / channels)) <= radius ? 1 : 0,
    ),
  }));
  return c.matmul(x, band);
}

/** bias + alpha · Σ x² over the neighbours */
function norm(c: LowerContext, x: string): string {
  const sum = sumNeighbours(c, c.op('Mul', [x, x]));
  return c.op('Add', [c.op('Mul', [sum, c.g.scalar(c.number('alpha'))]), c.g.scalar(c.number('bias'))]);
}

function power(c: LowerContext, x: string): string {
  return c.op('Pow', [x, c.g.scalar(-c.number('beta'))]);
}

/** Local response normalization across channels, the last axis. */
export const normalization: Record<string, Lowering> = {
  Lrn: (c) => c.op('Mul', [c.in(0), power(c, norm(c, c.in(0)))]),
  /** Inputs: x, y, dy. dx = dy · norm^−β − 2αβ · x · Σ dy·y / norm over the neighbours. */
  LrnGradient: (c) => {
    const [x, y, dy] = [c.in(0), c.in(1), c.in(2)];
    const n = norm(c, x);
    const own = c.op('Mul', [dy, power(c, n)]);
    const shared = sumNeighbours(c, c.op('Div', [c.op('Mul', [dy, y]), n]));
    const factor = c.g.scalar(-2 * c.number('alpha') * c.number('beta'));
    return c.op('Add', [own, c.op('Mul', [c.op('Mul', [x, factor]), shared])]);
  },
};
