import type { Lowering } from './context';

/** Directions and lengths of pairs of numbers. */
export const angles: Record<string, Lowering> = {
  /** The angle of (x, y): the arctangent of y / x, turned by half a circle where x is negative. */
  Atan2: (c) => {
    const [y, x] = [c.in(0), c.in(1)];
    const { g } = c;
    const zero = g.scalar(0);
    const none = c.op('Equal', [x, zero]);
    // The quotient by −0 would have the wrong sign.
    const angle = c.op('Atan', [c.op('Div', [y, c.op('Where', [none, zero, x])])]);
    const turn = c.op('Where', [c.op('Less', [y, zero]), g.scalar(-Math.PI), g.scalar(Math.PI)]);
    const turned = c.op('Where', [c.op('Less', [x, zero]), c.op('Add', [angle, turn]), angle]);
    const origin = c.op('And', [none, c.op('Equal', [y, zero])]);
    return c.op('Where', [origin, zero, turned]);
  },
  /** √(x² + y²) by the larger of the two, whose square alone may overflow or vanish. */
  Hypot: (c) => {
    const [a, b] = [c.op('Abs', [c.in(0)]), c.op('Abs', [c.in(1)])];
    const large = c.op('Max', [a, b]);
    const ratio = c.op('Div', [c.op('Min', [a, b]), large]);
    const length = c.op('Sqrt', [c.op('Add', [c.op('Mul', [ratio, ratio]), c.g.scalar(1)])]);
    const zero = c.op('Equal', [large, c.g.scalar(0)]);
    return c.op('Where', [zero, c.g.scalar(0), c.op('Mul', [large, length])]);
  },
};
