import type * as tf from '@tensorflow/tfjs-core';

/** Keys and values that are ready to be attended to: `[batch, kvHeads, length, headDim]` each. */
export type KeyValues = {
  readonly keys: tf.Tensor;
  readonly values: tf.Tensor;
};
