import * as tf from '@tensorflow/tfjs-core';

/** `x` with `before` and `after` entries of `value` added along one axis; `x` itself where there is nothing to add. */
export function padAxis<T extends tf.Tensor>(
  x: T,
  axis: number,
  before: number,
  after: number,
  value = 0,
): T {
  if (before === 0 && after === 0) return x;
  const paddings = x.shape.map((_, i): [number, number] => (i === axis ? [before, after] : [0, 0]));
  return tf.pad(x, paddings, value);
}
