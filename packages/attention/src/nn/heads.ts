import * as tf from '@tensorflow/tfjs-core';

/** `[batch, seq, heads · headDim]` → `[batch, heads, seq, headDim]`. */
export function splitHeads(x: tf.Tensor, heads: number): tf.Tensor {
  const [batch, seq, dim] = x.shape as [number, number, number];
  const apart = tf.reshape(x, [batch, seq, heads, dim / heads]); // (B, S, H, D/H)
  return tf.transpose(apart, [0, 2, 1, 3]); // (B, H, S, D/H)
}

/** `[batch, heads, seq, headDim]` → `[batch, seq, heads · headDim]`. */
export function mergeHeads(x: tf.Tensor): tf.Tensor {
  const [batch, heads, seq, headDim] = x.shape as [number, number, number, number];
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, seq, heads * headDim]); // (B, S, H · D/H)
}
