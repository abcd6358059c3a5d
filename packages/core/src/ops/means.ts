import * as tf from '@tensorflow/tfjs-core';

// Means that keep their axes with length 1, so that they broadcast back.

/** Mean over the last axis: `[rows, dim]` → `[rows, 1]`. */
export function meanOfRow(x: tf.Tensor): tf.Tensor {
  return tf.mean(x, -1, true);
}

/** Mean over the middle axis: `[batch, pixels, channels]` → `[batch, 1, channels]`. */
export function meanOverPixels(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.sum(x, 1, true), 1 / x.shape[1]!);
}

/** Sum over all rows: `[rows, channels]` → `[1, channels]`. */
export function sumOverRows(x: tf.Tensor): tf.Tensor {
  const [rows, channels] = x.shape as [number, number];
  const pieces = 16;
  if (rows % pieces !== 0 || rows < 16 * pieces) return tf.sum(x, 0, true);
  // In two stages: partial sums lose fewer digits than one long one, and run in parallel where a backend splits the
  // leading axis among threads.
  const partial = tf.sum(tf.reshape(x, [pieces, rows / pieces, channels]), 1); // (pieces, channels)
  return tf.sum(partial, 0, true);
}
