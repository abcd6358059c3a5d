import * as tf from '@tensorflow/tfjs-core';

/** `x` as a constant: gradients end here, as at PyTorch's `detach()`. The caller owns the result. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  const constant = tf.customGrad((value) => ({
    value: tf.clone(value as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }));
  return constant(x) as T;
}
