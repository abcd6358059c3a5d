import type { LowerContext, Lowering } from './context';

/** Lengths up to which a transform is a product with its matrix. */
const SMALL = 256;

/** Real and imaginary rows beside each other times the transform's matrix, both parts at once. */
function byProduct(c: LowerContext, n: number, inverse: boolean): string[] {
  const matrix = c.g.constantOnce(`fourier${n},${inverse}`, 'float32', () => {
    const values = new Float32Array(4 * n * n);
    const scale = inverse ? 1 / n : 1;
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) {
        const angle = ((inverse ? 2 : -2) * Math.PI * ((j * k) % n)) / n;
        const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)];
        values[j * 2 * n + k] = cos;
        values[j * 2 * n + n + k] = sin;
        values[(n + j) * 2 * n + k] = -sin;
        values[(n + j) * 2 * n + n + k] = cos;
      }
    }
    return { dims: [2 * n, 2 * n], values };
  });
  const y = c.matmul(c.concat([c.in(0), c.in(1)], 1), matrix);
  return [c.slice(y, [0], [n], [1]), c.slice(y, [n], [2 * n], [1])];
}

export const spectra: Record<string, Lowering> = {
  /** Inputs and outputs: the real and the imaginary parts, `[rows, n]`. */
  Fourier: (c) => {
    const [rows, n] = c.out.shape as [number, number];
    const inverse = c.boolean('inverse');
    if (n <= SMALL) return byProduct(c, n, inverse);
    const pairs = c.concat(
      [c.in(0), c.in(1)].map((part) => c.reshape(part, [rows, n, 1])),
      2,
    );
    const y = c.op('DFT', [pairs, '', c.g.constant('int64', [], [1])], { inverse: inverse ? 1 : 0 });
    return [0, 1].map((i) => c.reshape(c.slice(y, [i], [i + 1], [2]), [rows, n]));
  },
};
