import * as tf from '@tensorflow/tfjs-core';

/** `scale · image · textᵀ`, `[n, n]`: rows are pictures, columns texts. */
export function similarityLogits(image: tf.Tensor2D, text: tf.Tensor2D, logitScale: tf.Tensor): tf.Tensor2D {
  // Scaled before the product, as the references do: n · d multiplications instead of n².
  const scaled = tf.mul(image, tf.reshape(logitScale, [])) as tf.Tensor2D;
  return tf.matMul(scaled, text, false, true);
}
