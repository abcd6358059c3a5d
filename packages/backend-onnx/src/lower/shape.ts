import { take } from './axis';
import type { Lowering } from './context';

/** Operators that move elements without computing. */
export const shapeOps: Record<string, Lowering> = {
  Reshape: (c) => c.reshape(c.in(0), c.out.shape),
  Transpose: (c) => c.transpose(c.in(0), c.numbers('perm')),
  Expand: (c) => c.op('Expand', [c.in(0), c.g.ints(c.out.shape)]),
  Tile: (c) => c.op('Tile', [c.in(0), c.g.ints(c.numbers('reps'))]),
  Concat: (c) => {
    const axis = c.number('axis');
    return c.concat(
      Array.from({ length: c.arity }, (_, i) => c.in(i)),
      axis,
    );
  },
  Slice: (c) => {
    const begin = c.numbers('begin');
    const end = begin.map((b, i) => b + c.out.shape[i]!);
    const axes = begin.flatMap((b, i) => (b === 0 && end[i] === c.shape(0)[i] ? [] : [i]));
    if (axes.length === 0) return c.op('Identity', [c.in(0)]);
    return c.slice(
      c.in(0),
      axes.map((i) => begin[i]!),
      axes.map((i) => end[i]!),
      axes,
    );
  },
  /** A slice that begins where its second input says. */
  SliceFrom: (c) => {
    const begin = c.cast(c.in(1), 'int64');
    return c.op('Slice', [c.in(0), begin, c.op('Add', [begin, c.g.ints(c.out.shape)])]);
  },
  StridedSlice: (c) => {
    const [begin, end, strides] = [c.numbers('begin'), c.numbers('end'), c.numbers('strides')];
    // An end below zero in tfjs means "past the first element"; ONNX would count it from the back.
    const stop = end.map((e) => (e < 0 ? -(2 ** 31) : e));
    const sliced = c.slice(
      c.in(0),
      begin,
      stop,
      begin.map((_, i) => i),
      strides,
    );
    return c.reshape(sliced, c.out.shape);
  },
  Reverse: (c) => {
    const axes = c.numbers('axes');
    return c.slice(
      c.in(0),
      axes.map(() => -1),
      axes.map(() => -(2 ** 31)),
      axes,
      axes.map(() => -1),
    );
  },
  Pad: (c) => {
    const inputs = [c.in(0), c.g.ints(c.numbers('pads')), c.g.scalar(c.number('value'), c.dtype(0))];
    return c.op('Pad', inputs, { mode: 'constant' });
  },
  /** Axis by axis, as a selection of positions. */
  MirrorPad: (c) => {
    const before = c.numbers('before');
    // 'reflect' does not repeat the element at the edge.
    const edge = c.string('mode') === 'reflect' ? 1 : 0;
    return c.out.shape.reduce((x, size, axis) => {
      const n = c.shape(0)[axis]!;
      if (size === n) return x;
      const index = Array.from({ length: size }, (_, o) => {
        const i = o - before[axis]!;
        return i < 0 ? edge - 1 - i : i < n ? i : 2 * n - 1 - edge - i;
      });
      return take(c, x, axis, index);
    }, c.in(0));
  },
  Gather: (c) => c.op('Gather', [c.in(0), c.in(1)], { axis: c.number('axis') }),
  GatherNd: (c) => c.op('GatherND', [c.in(0), c.cast(c.in(1), 'int64')]),
  /** Adds rows of `updates` into zeros, at index tuples that may repeat. */
  ScatterAdd: (c) => {
    const zeros = c.op('ConstantOfShape', [c.g.ints(c.out.shape)]);
    const start = c.out.dtype === 'float32' ? zeros : c.cast(zeros, c.out.dtype);
    return c.op('ScatterND', [start, c.cast(c.in(0), 'int64'), c.in(1)], { reduction: 'add' });
  },
  /** Row sums by segment number; rows with a number outside [0, segments) are dropped, by way of a spare last row. */
  SegmentSum: (c) => {
    const [segments, ...rest] = c.out.shape as [number, ...number[]];
    const ids = c.in(0);
    const outside = c.op('Or', [
      c.op('Less', [ids, c.g.scalar(0, 'int32')]),
      c.op('GreaterOrEqual', [ids, c.g.scalar(segments, 'int32')]),
    ]);
    const rows = c.op('Where', [outside, c.g.scalar(segments, 'int32'), ids]);
    const zeros = c.op('ConstantOfShape', [c.g.ints([segments + 1, ...rest])]);
    const summed = c.op('ScatterND', [zeros, c.cast(rows, 'int64'), c.in(1)], { reduction: 'add' });
    return c.slice(summed, [0], [segments], [0]);
  },
  ScatterUpdate: (c) => c.op('ScatterND', [c.in(0), c.cast(c.in(1), 'int64'), c.in(2)]),
  Split: (c) => {
    const sizes = c.numbers('sizes');
    return c.g.nodeN('Split', [c.in(0), c.g.ints(sizes)], {
      attributes: { axis: c.number('axis') },
      outputs: sizes.length,
    });
  },
  OneHot: (c) => {
    const depth = c.number('depth');
    const classes = c.g.constantOnce(`range${depth}`, 'int32', () => ({
      dims: [depth],
      values: Int32Array.from({ length: depth }, (_, i) => i),
    }));
    const index = c.reshape(c.in(0), [...c.shape(0), 1]);
    const [on, off] = [c.number('on'), c.number('off')];
    const hit = c.op('Equal', [index, classes]);
    if (on === 1 && off === 0) return c.out.dtype === 'bool' ? hit : c.cast(hit, c.out.dtype);
    return c.op('Where', [hit, c.g.scalar(on, c.out.dtype), c.g.scalar(off, c.out.dtype)]);
  },
};
