import * as tf from '@tensorflow/tfjs-core';
import type { KernelCase } from './cases';

const ids = (values: number[]) => tf.tensor1d(values, 'int32');
const untrained = (c: KernelCase): KernelCase => ({ ...c, differentiable: false });
const one = (kernel: string, shape: number[], f: (x: tf.Tensor) => tf.Tensor | tf.Tensor[], name?: string) =>
  ({ kernel, name, inputs: [{ shape }], run: (x: tf.Tensor) => f(x) }) as KernelCase;

export const shapeCases: KernelCase[] = [
  one(tf.BatchToSpaceND, [4, 2, 1, 2], (x) =>
    tf.batchToSpaceND(
      x,
      [2, 2],
      [
        [0, 0],
        [0, 0],
      ],
    ),
  ),
  one(tf.SpaceToBatchND, [1, 4, 2, 2], (x) =>
    tf.spaceToBatchND(
      x,
      [2, 2],
      [
        [0, 0],
        [0, 0],
      ],
    ),
  ),
  untrained(
    one(
      tf.BroadcastArgs,
      [1],
      () => tf.engine().runKernel(tf.BroadcastArgs, { s0: ids([2, 1]), s1: ids([1, 3]) }) as tf.Tensor,
    ),
  ),
  ...[0, 1, 2].map((axis) =>
    one(tf.Concat, [2, 3, 2], (x) => tf.concat([x, tf.square(x)], axis), `axis ${axis}`),
  ),
  one(tf.DepthToSpace, [2, 2, 3, 8], (x) => tf.depthToSpace(x as tf.Tensor4D, 2)),
  one(tf.Diag, [2, 3], (x) => tf.diag(x)),
  one(tf.ExpandDims, [2, 3], (x) => tf.expandDims(x, 1)),
  untrained(one(tf.Fill, [1], () => tf.fill([2, 3], 7))),
  one(tf.FlipLeftRight, [1, 2, 3, 2], (x) => tf.image.flipLeftRight(x as tf.Tensor4D)),
  one(tf.GatherNd, [3, 4, 2], (x) =>
    tf.gatherND(
      x,
      tf.tensor2d(
        [
          [0, 1],
          [2, 3],
          [0, 1],
        ],
        [3, 2],
        'int32',
      ),
    ),
  ),
  one(
    tf.GatherNd,
    [3, 4],
    (x) =>
      tf.gatherND(
        x,
        tf.tensor2d(
          [
            [0, 1],
            [2, 3],
          ],
          [2, 2],
          'int32',
        ),
      ),
    'elements',
  ),
  ...[0, 1, 2, -1].map((axis) =>
    one(tf.GatherV2, [3, 4, 3], (x) => tf.gather(x, ids([2, 0, 2]), axis), `axis ${axis}`),
  ),
  one(
    tf.GatherV2,
    [4, 3],
    (x) =>
      tf.gather(
        x,
        tf.tensor2d(
          [
            [0, 3],
            [3, 1],
          ],
          [2, 2],
          'int32',
        ),
      ),
    'index matrix',
  ),
  one(
    tf.GatherV2,
    [2, 4, 3],
    (x) =>
      tf.gather(
        x,
        tf.tensor2d(
          [
            [0, 3, 3],
            [1, 2, 0],
          ],
          [2, 3],
          'int32',
        ),
        1,
        1,
      ),
    'batched',
  ),
  one(
    tf.GatherV2,
    [2, 2, 4],
    (x) =>
      tf.gather(
        x,
        tf.tensor2d(
          [
            [0, 3, 3],
            [1, 2, 0],
          ],
          [2, 3],
          'int32',
        ),
        2,
        1,
      ),
    'batched, inner axis',
  ),
  untrained(one(tf.LinSpace, [1], () => tf.linspace(0, 1, 5))),
  one(
    tf.MirrorPad,
    [3, 4],
    (x) =>
      tf.mirrorPad(
        x,
        [
          [1, 2],
          [2, 0],
        ],
        'reflect',
      ),
    'reflect',
  ),
  one(
    tf.MirrorPad,
    [3, 4],
    (x) =>
      tf.mirrorPad(
        x,
        [
          [1, 2],
          [2, 0],
        ],
        'symmetric',
      ),
    'symmetric',
  ),
  untrained(one(tf.Multinomial, [2, 3], (x) => tf.zerosLike(tf.multinomial(x as tf.Tensor2D, 4, 1)))),
  untrained(one(tf.OneHot, [1], () => tf.oneHot(ids([2, 0, 1]), 4))),
  untrained(one(tf.OneHot, [1], () => tf.oneHot(ids([2, 0, 1]), 4, 1, 0, 'float32'), 'float32')),
  ...[0, 1, 2].map((axis) => one(tf.Pack, [2, 3], (x) => tf.stack([x, tf.square(x)], axis), `axis ${axis}`)),
  one(tf.PadV2, [2, 3], (x) =>
    tf.pad(
      x,
      [
        [1, 0],
        [2, 1],
      ],
      0.5,
    ),
  ),
  untrained(one(tf.Range, [1], () => tf.range(0, 5))),
  one(tf.Reshape, [2, 3], (x) => tf.reshape(x, [3, 2])),
  one(tf.Reverse, [2, 3, 2], (x) => tf.reverse(x, [0, 2])),
  one(tf.ScatterNd, [3, 2], (x) => tf.scatterND(tf.tensor2d([[1], [3], [1]], [3, 1], 'int32'), x, [4, 2])),
  untrained(one(tf.SearchSorted, [3], (x) => tf.searchSorted(tf.tensor1d([-0.5, 0, 0.5]), x))),
  one(tf.Slice, [3, 4, 2], (x) => tf.slice(x, [1, 0, 0], [2, 3, 2])),
  one(tf.Slice, [2, 2, 3, 2, 2], (x) => tf.slice(x, [0, 1, 1, 0, 1], [2, 1, 2, 2, 1]), 'rank 5'),
  untrained(
    one(tf.SparseFillEmptyRows, [3], (x) =>
      Object.values(
        tf.sparse.sparseFillEmptyRows(
          tf.tensor2d(
            [
              [0, 0],
              [2, 1],
              [2, 2],
            ],
            [3, 2],
            'int32',
          ),
          x as tf.Tensor1D,
          ids([4, 3]),
          tf.scalar(0.5),
        ),
      ),
    ),
  ),
  untrained(
    one(tf.SparseReshape, [1], () =>
      Object.values(
        tf.sparse.sparseReshape(
          tf.tensor2d(
            [
              [0, 1],
              [1, 2],
            ],
            [2, 2],
            'int32',
          ),
          ids([2, 3]),
          ids([3, 2]),
        ),
      ),
    ),
  ),
  untrained(
    one(tf.SparseSegmentMean, [4, 2], (x) =>
      tf.sparse.sparseSegmentMean(x as tf.Tensor2D, ids([0, 2, 3]), ids([0, 0, 1])),
    ),
  ),
  untrained(
    one(tf.SparseSegmentSum, [4, 2], (x) =>
      tf.sparse.sparseSegmentSum(x as tf.Tensor2D, ids([0, 2, 3]), ids([0, 0, 1])),
    ),
  ),
  one(tf.SparseToDense, [3], (x) => tf.sparseToDense(ids([1, 4, 2]), x, [6], tf.scalar(0))),
  ...[0, 1].map((axis) => one(tf.SplitV, [4, 2], (x) => tf.split(x, 2, axis), `axis ${axis}`)),
  one(tf.StridedSlice, [4, 5, 2], (x) => tf.stridedSlice(x, [0, 1, 0], [4, 5, 2], [2, 2, 1])),
  one(tf.StridedSlice, [4, 5], (x) => tf.stridedSlice(x, [3, 4], [0, 0], [-1, -2]), 'backwards'),
  one(
    tf.StridedSlice,
    [4, 5],
    (x) => tf.stridedSlice(x, [1, 0], [2, 4], [1, 3], 0, 0, 0, 0, 1),
    'shrinking an axis',
  ),
  one(tf.TensorScatterUpdate, [2, 2], (x) =>
    tf.tensorScatterUpdate(
      tf.concat([x, tf.square(x)], 0),
      tf.tensor2d([[1], [3]], [2, 1], 'int32'),
      tf.neg(x),
    ),
  ),
  one(tf.Tile, [2, 3], (x) => tf.tile(x, [2, 3])),
  one(tf.TopK, [2, 5], (x) => tf.topk(x, 3).values),
  one(tf.Transpose, [2, 3, 4], (x) => tf.transpose(x, [2, 0, 1])),
  one(tf.Transpose, [2, 3, 2, 4], (x) => tf.transpose(x, [3, 1, 2, 0]), 'rank 4'),
  untrained(one(tf.Unique, [1], () => Object.values(tf.unique(tf.tensor1d([2, 1, 2, 5]))))),
  one(tf.Unpack, [2, 3], (x) => tf.unstack(x, 1)),
  one(tf.UnsortedSegmentSum, [4, 2], (x) => tf.unsortedSegmentSum(x, ids([2, 0, 2, 1]), 4)),
  one(
    tf.UnsortedSegmentSum,
    [4, 2],
    (x) => tf.unsortedSegmentSum(x, ids([2, -1, 2, 9]), 4),
    'ids out of range',
  ),
  untrained(one(tf.Bincount, [4], (x) => tf.bincount(ids([1, 2, 1, 3]) as tf.Tensor1D, x as tf.Tensor1D, 5))),
  untrained(
    one(tf.DenseBincount, [4], (x) =>
      tf.denseBincount(ids([1, 2, 1, 3]) as tf.Tensor1D, x as tf.Tensor1D, 5),
    ),
  ),
];
