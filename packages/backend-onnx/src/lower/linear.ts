import { sizeOf } from '../trace/graph';
import type { LowerContext, Lowering } from './context';

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
    const pieces = options.transB ? piecesOf(c) : undefined;
    if (!pieces) return c.matmul(c.in(0), c.in(1), { ...options, alpha });
    const products = pieces.map((piece) => c.matmul(c.in(0), piece, { ...options, alpha }));
    return c.concat(products, c.out.shape.length - 1);
  },
};

/** Elements of a piece: 8 MB, about as much as the other matrices of a model that has a huge one. */
const PIECE = 1 << 21;
/** Rows of the result, up to which concatenating its pieces costs nothing beside reading the matrix. */
const FEW = 16;

/**
 * A large constant matrix, such as the token table of a language model that is its output layer too, by blocks of its
 * rows. ONNX Runtime holds a matrix twice while it packs it, and its allocator leaves gaps beside large ones: 20 pieces
 * save GPT-2 60 MB at the peak.
 */
function piecesOf(c: LowerContext): string[] | undefined {
  const data = c.constant(1);
  const [n, k] = c.shape(1) as [number, number];
  if (!(data instanceof Float32Array) || c.shape(1).length !== 2 || n * k < 4 * PIECE) return undefined;
  if (sizeOf(c.out.shape) > FEW * n) return undefined;
  // Kernels take columns of the result by 16 or more.
  const rows = 64 * Math.max(1, Math.floor(PIECE / k / 64));
  const { leaf } = c.node.inputs[1]!;
  return Array.from({ length: Math.ceil(n / rows) }, (_, i) => {
    const [from, to] = [i * rows, Math.min(n, (i + 1) * rows)];
    const make = () => ({ dims: [to - from, k], values: data.subarray(from * k, to * k) });
    return leaf === undefined
      ? c.g.constant('float32', make().dims, make().values)
      : c.g.constantOnce(`x${leaf}[${from}:${to}]`, 'float32', make);
  });
}
