import type { Lowering } from './context';

export const gelus: Record<string, Lowering> = {
  Gelu: (c) => c.op('Gelu', [c.in(0)]),
  /** `½x + ½` for x in [−1, 1]: with the runtime's clamped line one pass instead of two. */
  HalfShifted: (c) => c.op('HardSigmoid', [c.in(0)], { alpha: { float: 0.5 }, beta: { float: 0.5 } }),
};
