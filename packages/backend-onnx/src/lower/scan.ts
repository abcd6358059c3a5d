import { around } from './axis';
import type { Lowering } from './context';

/**
 * Running products along one axis, which ONNX has for sums only: log₂ n steps, each multiplying with the products that
 * end 1, 2, 4, … places before. Zeros, which a sum of logarithms would not survive, need no care.
 */
export const scans: Record<string, Lowering> = {
  CumProd: (c) => {
    const { shape, dtype } = c.out;
    const axis = c.number('axis');
    const [outer, inner] = around(shape, axis);
    const n = shape[axis]!;
    const reverse = c.boolean('reverse');
    const one = c.g.scalar(1, dtype);
    /** Elements `places` further, ones where they came from. */
    const shifted = (x: string, places: number) => {
      const kept = reverse ? c.slice(x, [places], [n], [1]) : c.slice(x, [0], [n - places], [1]);
      const pads = reverse ? [0, 0, 0, 0, places, 0] : [0, places, 0, 0, 0, 0];
      return c.op('Pad', [kept, c.g.ints(pads), one], { mode: 'constant' });
    };
    let x = c.reshape(c.in(0), [outer, n, inner]);
    if (c.boolean('exclusive')) x = shifted(x, 1);
    for (let places = 1; places < n; places *= 2) x = c.op('Mul', [x, shifted(x, places)]);
    return c.reshape(x, shape);
  },
};
