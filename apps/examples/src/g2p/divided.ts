import * as tf from '@tensorflow/tfjs-core';

/** Quotient and remainder of int32. The remainder's own quotient mends what wasm, which divides in float32, gets wrong. */
export function divided(x: tf.Tensor, by: number): [tf.Tensor, tf.Tensor] {
  const divisor = tf.scalar(by, 'int32');
  const about = tf.floorDiv(x, divisor);
  const quotient = tf.add(about, tf.floorDiv(tf.sub(x, tf.mul(about, divisor)), divisor));
  return [quotient, tf.sub(x, tf.mul(quotient, divisor))];
}
