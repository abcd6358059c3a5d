/**
 * The matrices of F(m, r): m neighbouring outputs of a one-dimensional convolution with r taps by n = m + r − 1 products
 * instead of m · r, `y = Aᵀ[(G g) ⊙ (Bᵀ d)]` (Toom and Cook; Lavin and Gray, 2016, for convolutional networks).
 *
 * Inputs and taps are values of polynomials at n − 1 points and at infinity. Small points with different magnitudes keep
 * the rounding errors small (Barabasz et al., 2020): with these, F(4, 2) loses 1.8 bits and F(4, 3) 2.5 bits against the
 * plain sum, in root mean square.
 */
export interface Winograd {
  outputs: number;
  taps: number;
  products: number;
  /** Bᵀ, products × inputs; there are as many inputs as products. */
  input: number[][];
  /** G, products × taps. */
  filter: number[][];
  /** Aᵀ, outputs × products. */
  output: number[][];
}

const POINTS: readonly (readonly number[])[] = [
  [],
  [0],
  [0, 1],
  [0, 1, -1],
  [0, 1, -0.5, -2],
  [0, 1, -1, 0.5, -2],
];

/** @param outputs m, from 1. @param taps r, from 1. @throws Error beyond m + r = 7, where float32 loses too much. */
export function winograd(outputs: number, taps: number): Winograd {
  const finite = outputs + taps - 2;
  const points = POINTS[finite];
  if (!points) throw new Error(`no Winograd transform F(${outputs}, ${taps})`);

  const input = [...points.map((_, j) => polynomial(points.filter((_, l) => l !== j))), polynomial(points)];
  const scale = points.map((p, j) => points.reduce((n, q, l) => (l === j ? n : n * (p - q)), 1));
  const filter = points.map((p, j) => powers(p, taps).map((x) => x / scale[j]!));
  filter.push(lastOf(taps));
  const values = points.map((p) => powers(p, outputs));
  values.push(lastOf(outputs));
  return {
    outputs,
    taps,
    products: finite + 1,
    input: input.map((row) => Array.from({ length: finite + 1 }, (_, i) => row[i] ?? 0)),
    filter,
    output: Array.from({ length: outputs }, (_, i) => values.map((column) => column[i]!)),
  };
}

/** Coefficients of `Π (x − root)`, lowest first. */
function polynomial(roots: readonly number[]): number[] {
  let coefficients = [1];
  for (const root of roots) {
    const before = coefficients;
    coefficients = Array.from(
      { length: before.length + 1 },
      (_, i) => (before[i - 1] ?? 0) - root * (before[i] ?? 0),
    );
  }
  return coefficients;
}

function powers(x: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => x ** i);
}

/** Infinity picks the highest coefficient. */
function lastOf(count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? 1 : 0));
}
