import * as tf from '@tensorflow/tfjs-core';
import { type Gradient, zero } from './config';

/**
 * Gather: each row's gradient goes back to the row that it came from. For any number of batch axes; tfjs's own knows
 * one, and there calls methods that tensors do not have in Node.
 */
const gather: Gradient = {
  kernelName: tf.GatherV2,
  inputsToSave: ['x', 'indices'],
  gradFunc: (dy, [saved, indices], { axis, batchDims }: { axis: number; batchDims: number }) => ({
    x: () => {
      const x = saved!;
      const [at] = tf.util.parseAxisParam(axis, x.shape) as [number];
      const sizes = (from: number, to?: number) => tf.util.sizeFromShape(x.shape.slice(from, to));
      const [batch, outer, rows, inner] = [
        sizes(0, batchDims),
        sizes(batchDims, at),
        x.shape[at]!,
        sizes(at + 1),
      ];
      const count = indices!.size / batch;
      // (batch, outer, count, inner) → (batch · count, outer · inner): one row for each index
      const slopes = tf.reshape(tf.transpose(tf.reshape(dy, [batch, outer, count, inner]), [0, 2, 1, 3]), [
        batch * count,
        outer * inner,
      ]);
      // Each batch has its own range of rows.
      const first = tf.mul(tf.range(0, batch, 1, 'int32'), tf.scalar(rows, 'int32'));
      const ids = tf.add(tf.reshape(indices!, [batch, count]), tf.reshape(first, [batch, 1]));
      const sums = tf.unsortedSegmentSum(
        slopes,
        tf.reshape(ids, [batch * count]) as tf.Tensor1D,
        batch * rows,
      );
      return tf.reshape(tf.transpose(tf.reshape(sums, [batch, rows, outer, inner]), [0, 2, 1, 3]), x.shape);
    },
    indices: () => zero(indices!),
  }),
};

const gatherNd: Gradient = {
  kernelName: tf.GatherNd,
  inputsToSave: ['params', 'indices'],
  gradFunc: (dy, [params, indices]) => ({
    params: () => tf.scatterND(indices!, dy, params!.shape),
    indices: () => zero(indices!),
  }),
};

const scatterNd: Gradient = {
  kernelName: tf.ScatterNd,
  inputsToSave: ['indices'],
  gradFunc: (dy, [indices]) => ({
    updates: () => tf.gatherND(dy, indices!),
    indices: () => zero(indices!),
  }),
};

/** Where one place is updated twice, the last value stands, but all of them get its gradient, as in TensorFlow. */
const tensorScatterUpdate: Gradient = {
  kernelName: tf.TensorScatterUpdate,
  inputsToSave: ['indices', 'updates'],
  gradFunc: (dy, [indices, updates]) => ({
    tensor: () => tf.tensorScatterUpdate(dy, indices!, tf.zerosLike(updates!)),
    updates: () => tf.gatherND(dy, indices!),
    indices: () => zero(indices!),
  }),
};

const sparseToDense: Gradient = {
  kernelName: tf.SparseToDense,
  inputsToSave: ['sparseIndices', 'sparseValues'],
  gradFunc: (dy, [indices, values]) => {
    const places = () => {
      const depth = dy.rank;
      return tf.reshape(indices!, [indices!.size / depth, depth]) as tf.Tensor2D;
    };
    const found = () => tf.gatherND(dy, places());
    return {
      sparseIndices: () => zero(indices!),
      sparseValues: () => (values!.rank === 0 ? tf.sum(found()) : tf.reshape(found(), values!.shape)),
      // The default stands wherever no value does.
      defaultValue: () => tf.sub(tf.sum(dy), tf.sum(found())),
    };
  },
};

/** Ids outside [0, segments) were dropped; tfjs's own looks up the ones above. */
const unsortedSegmentSum: Gradient = {
  kernelName: tf.UnsortedSegmentSum,
  inputsToSave: ['segmentIds'],
  gradFunc: (dy, [ids], { numSegments }: { numSegments: number }) => ({
    x: () => {
      const [low, high] = [tf.scalar(0, 'int32'), tf.scalar(numSegments, 'int32')];
      const kept = tf.logicalAnd(tf.greaterEqual(ids!, low), tf.less(ids!, high));
      const rows = tf.gather(dy, tf.mul(ids!, tf.cast(kept, 'int32')));
      const mask = tf.reshape(tf.cast(kept, 'float32'), [...ids!.shape, ...dy.shape.slice(1).map(() => 1)]);
      return tf.mul(rows, mask);
    },
    segmentIds: () => zero(ids!),
  }),
};

/** The chosen values' gradients go back to their places in the row. */
const topK: Gradient = {
  kernelName: tf.TopK,
  inputsToSave: ['x'],
  outputsToSave: [false, true],
  gradFunc: ([dy], [x, indices], { k }: { k: number }) => ({
    x: () => {
      const n = x!.shape.at(-1)!;
      const rows = x!.size / n;
      const first = tf.reshape(tf.mul(tf.range(0, rows, 1, 'int32'), tf.scalar(n, 'int32')), [rows, 1]);
      const places = tf.reshape(tf.add(tf.reshape(indices!, [rows, k]), first), [rows * k]) as tf.Tensor1D;
      return tf.reshape(tf.unsortedSegmentSum(tf.reshape(dy!, [rows * k]), places, rows * n), x!.shape);
    },
  }),
};

export const indexingGradients: readonly Gradient[] = [
  gather,
  gatherNd,
  scatterNd,
  sparseToDense,
  tensorScatterUpdate,
  topK,
  unsortedSegmentSum,
];
