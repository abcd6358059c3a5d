import * as tf from '@tensorflow/tfjs-core';

/** A linear map along one image axis: row-major `[out, size]`. */
export interface ResampleMatrix {
  values: Float32Array;
  size: number;
  out: number;
}

// One 2-D matmul per axis: bound by the fastest kernel of every backend, and differentiable as often as one likes,
// which no backend's resize kernel is.

/** Applies the map to the rows: `[batch, size, width, channels]` → `[batch, out, width, channels]`. */
export function alongHeight(x: tf.Tensor4D, matrix: ResampleMatrix): tf.Tensor4D {
  const [b, h, w, c] = x.shape;
  const last = tf.reshape(tf.transpose(x, [0, 2, 3, 1]), [b * w * c, h]); // (b·w·c, h)
  const y = tf.matMul(last, transposed(matrix)); // (b·w·c, out)
  return tf.transpose(tf.reshape(y, [b, w, c, matrix.out]), [0, 3, 1, 2]); // (b, out, w, c)
}

/** Applies the map to the columns: `[batch, height, size, channels]` → `[batch, height, out, channels]`. */
export function alongWidth(x: tf.Tensor4D, matrix: ResampleMatrix): tf.Tensor4D {
  const [b, h, w, c] = x.shape;
  const last = tf.reshape(tf.transpose(x, [0, 1, 3, 2]), [b * h * c, w]); // (b·h·c, w)
  const y = tf.matMul(last, transposed(matrix)); // (b·h·c, out)
  return tf.transpose(tf.reshape(y, [b, h, c, matrix.out]), [0, 1, 3, 2]); // (b, h, out, c)
}

function transposed({ values, size, out }: ResampleMatrix): tf.Tensor2D {
  const t = new Float32Array(values.length);
  for (let i = 0; i < out; i++) for (let j = 0; j < size; j++) t[j * out + i] = values[i * size + j]!;
  return tf.tensor2d(t, [size, out]);
}
