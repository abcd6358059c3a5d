import * as tf from '@tensorflow/tfjs-core';

/** Puts element i of an axis at `begin + i · stride` of an axis of length `size`, zeros elsewhere. Differentiable. */
export function spread(g: tf.Tensor, axis: number, begin: number, stride: number, size: number): tf.Tensor {
  const count = g.shape[axis]!;
  const step = Math.abs(stride);
  const first = stride > 0 ? begin : begin + (count - 1) * stride;
  let t = stride > 0 ? g : tf.reverse(g, axis);
  if (step > 1) {
    // [count] → [count, step] with zeros behind each element → [count · step], whose last step − 1 zeros go
    const before = g.shape.slice(0, axis);
    const after = g.shape.slice(axis + 1);
    const cells = tf.reshape(t, [...before, count, 1, ...after]);
    const padded = tf.pad(
      cells,
      cells.shape.map((_, i) => (i === axis + 1 ? [0, step - 1] : [0, 0])),
    );
    const row = tf.reshape(padded, [...before, count * step, ...after]);
    t = tf.slice(
      row,
      row.shape.map(() => 0),
      [...before, (count - 1) * step + 1, ...after],
    );
  }
  const length = t.shape[axis]!;
  return tf.pad(
    t,
    t.shape.map((_, i) => (i === axis ? [first, size - first - length] : [0, 0])),
  );
}
