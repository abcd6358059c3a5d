import type { Lowering } from './context';

export const linear: Record<string, Lowering> = {
  MatMul: (c) => {
    const options = { transA: c.boolean('transA'), transB: c.boolean('transB') };
    if (c.out.dtype === 'int32') {
      const swap = (name: string, rank: number) =>
        c.transpose(name, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
      const a = options.transA ? swap(c.in(0), c.shape(0).length) : c.in(0);
      const b = options.transB ? swap(c.in(1), c.shape(1).length) : c.in(1);
      return c.op('MatMul', [a, b]);
    }
    return c.matmul(c.in(0), c.in(1), options);
  },
  /** Pooling, which ONNX has for channels-first images only. */
  MaxPool: (c) => pool(c, 'MaxPool'),
  AveragePool: (c) => pool(c, 'AveragePool'),
  Resize: (c) => {
    const attributes = {
      mode: c.string('mode'),
      coordinate_transformation_mode: c.string('coordinates'),
      ...(c.string('mode') === 'nearest' ? { nearest_mode: c.string('rounding') } : {}),
    };
    const x = c.transpose(c.in(0), [0, 3, 1, 2]);
    const [n, h, w, d] = c.out.shape as [number, number, number, number];
    return c.transpose(c.op('Resize', [x, '', '', c.g.ints([n, d, h, w])], attributes), [0, 2, 3, 1]);
  },
};

function pool(c: Parameters<Lowering>[0], op: string): string {
  const x = c.transpose(c.in(0), [0, 3, 1, 2]);
  const pooled = c.op(op, [x], {
    kernel_shape: c.numbers('kernel'),
    strides: c.numbers('strides'),
    dilations: c.numbers('dilations'),
    pads: c.numbers('pads'),
  });
  return c.transpose(pooled, [0, 2, 3, 1]);
}
