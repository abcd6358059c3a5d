import { sizeOf } from '../trace/graph';
import type { Lowering } from './context';

export const rowUpdates: Record<string, Lowering> = {
  /**
   * `ScatterND` by the tuples (leading indices…, position + row). It must stay the only reader of the cache: where a
   * session is given the cache's own memory for the output, it writes the rows there and copies nothing.
   */
  UpdateRows: (c) => {
    const { g } = c;
    const shape = c.shape(1).slice(0, -1);
    const position = c.in(2);
    const indices = g.once(`rows[${shape}]${position}`, () => {
      const rank = shape.length;
      const tuples = g.constant('int64', [...shape, rank], indexTuples(shape));
      const last = Array.from({ length: rank }, (_, i) => (i === rank - 1 ? 1 : 0));
      const offset = c.op('Mul', [c.cast(position, 'int64'), g.ints(last)]);
      return c.op('Add', [tuples, offset]);
    });
    return c.op('ScatterND', [c.in(0), indices, c.in(1)]);
  },
};

/** The index tuple of every element of a tensor, one after the other. */
function indexTuples(shape: readonly number[]): Int32Array {
  const rank = shape.length;
  const tuples = new Int32Array(sizeOf(shape) * rank);
  for (let i = 0; i < sizeOf(shape); i++) {
    let rest = i;
    for (let axis = rank - 1; axis >= 0; axis--) {
      tuples[i * rank + axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
  }
  return tuples;
}
