import { describe, expect, it } from 'vitest';
import { winograd } from '../../src/lower/winograd-transform';

const apply = (matrix: number[][], x: readonly number[]) =>
  matrix.map((row) => row.reduce((sum, w, i) => sum + w * x[i]!, 0));

describe('winograd', () => {
  it.each([
    [1, 2],
    [2, 2],
    [3, 2],
    [4, 2],
    [2, 3],
    [3, 3],
    [4, 3],
    [2, 5],
  ])('F(%i, %i) is a convolution', (outputs, taps) => {
    const { products, input, filter, output } = winograd(outputs, taps);
    expect(products).toBe(outputs + taps - 1);
    const d = Array.from({ length: products }, (_, i) => Math.sin(3 * i + 1));
    const g = Array.from({ length: taps }, (_, i) => Math.cos(2 * i));
    const [D, G] = [apply(input, d), apply(filter, g)];
    const y = apply(
      output,
      D.map((x, i) => x * G[i]!),
    );
    y.forEach((value, i) => {
      expect(value).toBeCloseTo(
        g.reduce((sum, w, k) => sum + w * d[i + k]!, 0),
        12,
      );
    });
  });

  it('F(2, 2) and F(2, 3) transform inputs and outputs by additions alone', () => {
    for (const taps of [2, 3]) {
      const { input, output } = winograd(2, taps);
      expect([...input, ...output].flat().every((x) => Math.abs(x) === 1 || x === 0)).toBe(true);
    }
  });

  it('refuses tiles that would lose too much', () => {
    expect(() => winograd(6, 3)).toThrow('F(6, 3)');
  });
});
