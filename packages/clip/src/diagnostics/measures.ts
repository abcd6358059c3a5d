import * as tf from '@tensorflow/tfjs-core';

/**
 * Mean cosine of the pairs i ≠ j, from −1/(n − 1), for features that keep away from each other, to 1, for features
 * that are all the same: `(‖Σ xᵢ‖² − n) / (n (n − 1))`. Of a single row it is 0.
 * @param unit `[n, d]`, rows of length 1.
 */
export function meanCosine(unit: tf.Tensor2D): tf.Scalar {
  const [n] = unit.shape;
  if (n === 1) return tf.scalar(0);
  return tf.tidy(() => {
    const square = tf.sum(tf.square(tf.sum(unit, 0)));
    return tf.div(tf.sub(square, n), n * (n - 1)) as tf.Scalar;
  });
}

/**
 * How many directions the features take, from 1 to min(n, d): `(Σ λ)² / Σ λ²` of the eigenvalues of XᵀX, the
 * participation ratio. For rows of length 1 it is 1 / mean cos² over all n² pairs, so no eigenvalue is computed. It is 1
 * where all features are the same, and also where they are the same up to the sign, which the mean cosine does not see.
 * @param unit `[n, d]`, rows of length 1.
 */
export function effectiveRank(unit: tf.Tensor2D): tf.Scalar {
  const [n, d] = unit.shape;
  return tf.tidy(() => {
    const products = d < n ? tf.matMul(unit, unit, true, false) : tf.matMul(unit, unit, false, true);
    return tf.div(n ** 2, tf.sum(tf.square(products))) as tf.Scalar; // the same norm for both
  });
}
