import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';

/** Estimates of the leading singular vectors: `u [rows]`, `v [columns]`, both of length 1. */
export interface SingularVectors {
  u: tf.Tensor1D;
  v: tf.Tensor1D;
}

/**
 * Improves the estimates by power iteration (Miyato et al. 2018, algorithm 1):
 * `v = normalize(Wᵀ·u)`, `u = normalize(W·v)`. Records no gradient.
 *
 * @param matrix `[rows, columns]`.
 * @returns new vectors that the caller owns.
 */
export function powerIteration(
  matrix: tf.Tensor,
  { u, v }: SingularVectors,
  { iterations = 1, eps = 1e-12 }: { iterations?: number; eps?: number } = {},
): SingularVectors {
  checkArgument(matrix.rank === 2, 'powerIteration', 'matrix', '[rows, columns]', matrix.shape);
  const [rows, columns] = matrix.shape as [number, number];
  const fits = u.size === rows && v.size === columns;
  checkArgument(fits, 'powerIteration', 'vectors', `[${rows}] and [${columns}]`, [u.shape, v.shape]);
  // One custom gradient around both vectors, joined because there is room for one value only: nothing inside is
  // recorded, so that the tape of a training step does not hold the iteration.
  const joined = tf.customGrad((w) => ({
    value: tf.tidy(() => {
      let row = tf.reshape(u, [1, rows]);
      let column = tf.reshape(v, [columns, 1]);
      for (let i = 0; i < iterations; i++) {
        column = normalize(tf.reshape(tf.matMul(row, w as tf.Tensor2D), [columns, 1]), eps);
        row = normalize(tf.reshape(tf.matMul(w as tf.Tensor2D, column), [1, rows]), eps);
      }
      return tf.concat([tf.reshape(row, [rows]), tf.reshape(column, [columns])]);
    }),
    gradFunc: () => tf.zeros([rows, columns]),
  }));
  return tf.tidy(() => {
    const [nextU, nextV] = tf.split(joined(matrix), [rows, columns]) as [tf.Tensor1D, tf.Tensor1D];
    return { u: nextU, v: nextV };
  });
}

/**
 * The estimate `σ = uᵀ·matrix·v` of the largest singular value. `u` and `v` count as constants, so that the gradient is
 * `u·vᵀ` (Miyato et al. 2018, eq. 10). A scalar that the caller owns.
 */
export function spectralValue(matrix: tf.Tensor, { u, v }: SingularVectors): tf.Scalar {
  const sigma = tf.customGrad((w, save) => {
    (save as tf.GradSaveFunc)([u, v]);
    const row = tf.matMul(tf.reshape(u, [1, -1]), w as tf.Tensor2D); // (1, columns)
    return {
      value: tf.reshape(tf.matMul(row, tf.reshape(v, [-1, 1])), []),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.mul(tf.mul(dy, tf.reshape(saved[0]!, [-1, 1])), tf.reshape(saved[1]!, [1, -1])),
    };
  });
  return sigma(matrix) as tf.Scalar;
}

function normalize<T extends tf.Tensor>(x: T, eps: number): T {
  return tf.div(x, tf.maximum(tf.sqrt(tf.sum(tf.square(x))), eps));
}
