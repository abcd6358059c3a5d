import * as tf from '@tensorflow/tfjs-core';
import type { KernelCompletion } from './completion';

/**
 * Sums the rows of `x` that carry the same segment id; the gradient of a gather, hence of embeddings.
 *
 * A scatter, because the one-hot matrix of `onehotᵀ · x` would have tokens × vocabulary entries. Ids outside
 * [0, segments) are dropped, as in TensorFlow: they go to one more row, which is cut off.
 */
export function segmentSum(x: tf.Tensor, ids: tf.Tensor, segments: number): tf.Tensor {
  const inner = x.shape.slice(ids.rank);
  const rows = tf.reshape(x, [ids.size, ...inner]);
  const flat = tf.reshape(ids, [ids.size]);
  const inside = tf.logicalAnd(
    tf.greaterEqual(flat, tf.scalar(0, 'int32')),
    tf.less(flat, tf.scalar(segments, 'int32')),
  );
  const target = tf.where(inside, flat, tf.fill([ids.size], segments, 'int32'));
  const sums = tf.scatterND(tf.reshape(target, [ids.size, 1]), rows, [segments + 1, ...inner]);
  return tf.slice(sums, 0, segments);
}

export const unsortedSegmentSum: KernelCompletion = {
  kernel: tf.UnsortedSegmentSum,
  run({ x, segmentIds }, { numSegments }: { numSegments: number }) {
    return segmentSum(x!, segmentIds!, numSegments);
  },
};
