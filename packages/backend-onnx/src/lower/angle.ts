import type { Lowering } from './context';

/** The angle of (x, y): the arctangent of y / x, turned by half a circle where x is negative. */
export const angles: Record<string, Lowering> = {
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
};
