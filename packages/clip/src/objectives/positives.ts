import * as tf from '@tensorflow/tfjs-core';

/** `[n, n]`, 1 where picture and text belong together: the same pair, or pairs of the same group. */
export function positives(n: number, groups?: tf.Tensor1D | null): tf.Tensor2D {
  if (!groups) return tf.eye(n);
  return tf.tidy(
    () => tf.cast(tf.equal(tf.expandDims(groups, 1), tf.expandDims(groups, 0)), 'float32') as tf.Tensor2D,
  );
}

/** Each row of the positives divided by its sum: probabilities that a softmax over the row can be held to. */
export function evenTargets(n: number, groups: tf.Tensor1D): tf.Tensor2D {
  return tf.tidy(() => {
    const mask = positives(n, groups);
    return tf.div(mask, tf.sum(mask, 1, true)) as tf.Tensor2D;
  });
}
