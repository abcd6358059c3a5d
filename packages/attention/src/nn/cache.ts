import * as tf from '@tensorflow/tfjs-core';

/** Keys and values that are ready to be attended to: `[batch, kvHeads, length, headDim]` each. */
export type KeyValues = {
  readonly keys: tf.Tensor;
  readonly values: tf.Tensor;
};

/**
 * A cache with new rows in the places from `position` on. Shapes do not depend on the position.
 *
 * @param cache `[batch, heads, length, dim]`, left as it is.
 * @param rows `[batch, heads, new, dim]`.
 * @param position int32 scalar.
 * @returns `[batch, heads, length, dim]`. The caller owns it.
 */
export function writeAt(cache: tf.Tensor, rows: tf.Tensor, position: tf.Scalar): tf.Tensor {
  const [length, fresh] = [cache.shape[2]!, rows.shape[2]!];
  return tf.tidy(() => {
    const place = tf.sub(tf.range(0, length, 1, 'int32'), position); // (length): which new row stands there
    const inside = tf.logicalAnd(
      tf.greaterEqual(place, tf.scalar(0, 'int32')),
      tf.less(place, tf.scalar(fresh, 'int32')),
    );
    const spread =
      fresh === 1 ? rows : tf.gather(rows, tf.mul(place, tf.cast(inside, 'int32')) as tf.Tensor1D, 2);
    return tf.where(tf.reshape(inside, [length, 1]), spread, cache);
  });
}
