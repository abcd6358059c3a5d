import * as tf from '@tensorflow/tfjs-core';

/** Rows of length 1, as `torch.nn.functional.normalize`: `x / max(‖x‖, 1e-12)`. `[n, dim]` → the same. */
export function l2Normalize(x: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    // The smallest square whose root is a normal number of every backend; 1e-24 is none of wasm's subnormals either.
    const squares = tf.maximum(tf.sum(tf.square(x), 1, true), 1e-24);
    return tf.div(x, tf.sqrt(squares)) as tf.Tensor2D;
  });
}
