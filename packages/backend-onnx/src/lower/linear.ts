import type { Lowering } from './context';

export const linear: Record<string, Lowering> = {
  /** `alpha · a · b`. */
  MatMul: (c) => {
    const options = { transA: c.boolean('transA'), transB: c.boolean('transB') };
    if (c.out.dtype === 'int32') {
      const swap = (name: string, rank: number) =>
        c.transpose(name, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
      const a = options.transA ? swap(c.in(0), c.shape(0).length) : c.in(0);
      const b = options.transB ? swap(c.in(1), c.shape(1).length) : c.in(1);
      return c.op('MatMul', [a, b]);
    }
    const alpha = typeof c.attrs.alpha === 'number' ? c.attrs.alpha : 1;
    return c.matmul(c.in(0), c.in(1), { ...options, alpha });
  },
};
