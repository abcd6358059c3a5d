import { sizeOf } from '../trace/graph';
import type { Lowering } from './context';

/** Kernels that look for values or count them. */
export const searching: Record<string, Lowering> = {
  /** Along the last axis; of equal values the first ones, as in tfjs, which holds only while the runtime sorts. */
  TopK: (c) => {
    const attributes = { axis: -1, largest: 1, sorted: 1 };
    const inputs = [c.in(0), c.g.ints([c.number('k')])];
    const [values, indices] = c.g.nodeN('TopK', inputs, { attributes, outputs: 2 }) as [string, string];
    return [values, c.cast(indices, 'int32')];
  },
  /** How many of the sorted values stand before each value. */
  SearchSorted: (c) => {
    const [rows, n] = c.shape(0) as [number, number];
    const m = c.shape(1)[1]!;
    const sorted = c.reshape(c.in(0), [rows, 1, n]);
    const values = c.reshape(c.in(1), [rows, m, 1]);
    const before = c.op(c.string('side') === 'left' ? 'Less' : 'LessOrEqual', [sorted, values]);
    return c.op('ReduceSum', [c.cast(before, 'int32'), c.g.ints([2])], { keepdims: 0 });
  },
  /** Inputs: numbers `[n]` or `[rows, n]`, and a weight for each or for all. What is too large is not counted. */
  Histogram: (c) => {
    const shape = c.out.shape;
    const [size, n] = [shape.at(-1)!, c.shape(0).at(-1)!];
    const rows = sizeOf(c.shape(0)) / n;
    const limit = c.g.scalar(size, 'int32');
    const bins = c.op('Min', [c.in(0), limit]);
    const first = Int32Array.from({ length: rows }, (_, r) => r * (size + 1));
    const cells = c.op('Add', [c.reshape(bins, [rows, n]), c.g.constant('int32', [rows, 1], first)]);
    const indices = c.cast(c.reshape(cells, [rows * n, 1]), 'int64');
    const weights = c.op('Expand', [c.reshape(c.in(1), [sizeOf(c.shape(1))]), c.g.ints([rows * n])]);
    const zeros = c.op('Expand', [c.g.scalar(0, c.out.dtype), c.g.ints([rows * (size + 1)])]);
    const attributes: Record<string, string> = c.boolean('binary') ? {} : { reduction: 'add' };
    const counts = c.op('ScatterND', [zeros, indices, weights], attributes);
    return c.reshape(c.slice(c.reshape(counts, [rows, size + 1]), [0], [size], [1]), shape);
  },
  /** Each batch chooses among its own: a Gather of rows whose numbers are counted through all batches. */
  GatherBatched: (c) => {
    const [axis, batchDims] = [c.number('axis'), c.number('batchDims')];
    const shape = c.shape(0);
    const [batch, outer] = [sizeOf(shape.slice(0, batchDims)), sizeOf(shape.slice(batchDims, axis))];
    const [rows, inner] = [shape[axis]!, sizeOf(shape.slice(axis + 1))];
    const count = sizeOf(c.shape(1)) / batch;
    const first = Int32Array.from({ length: batch * outer }, (_, i) => i * rows);
    const index = c.op('Add', [
      c.reshape(c.in(1), [batch, 1, count]),
      c.g.constant('int32', [batch, outer, 1], first),
    ]);
    return c.reshape(
      c.op('Gather', [c.reshape(c.in(0), [batch * outer * rows, inner]), index], { axis: 0 }),
      c.out.shape,
    );
  },
  /** A matrix with the values on its diagonal: n zeros behind each value, read in rows of n instead of n + 1. */
  Diagonal: (c) => {
    const n = sizeOf(c.shape(0));
    const column = c.reshape(c.in(0), [n, 1]);
    const zero = c.g.scalar(0, c.out.dtype);
    const spread = c.op('Pad', [column, c.g.ints([0, 0, 0, n]), zero], { mode: 'constant' });
    return c.reshape(c.slice(c.reshape(spread, [n * (n + 1)]), [0], [n * n], [0]), c.out.shape);
  },
};
