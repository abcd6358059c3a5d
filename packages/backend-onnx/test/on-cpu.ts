import * as tf from '@tensorflow/tfjs-core';

/** Runs `body` on tfjs's cpu backend and gives its values: the reference that this backend is compared with. */
export function onCpu(body: () => tf.Tensor): Float32Array {
  const before = tf.getBackend();
  tf.setBackend('cpu');
  try {
    return tf.tidy(() => Float32Array.from(body().dataSync()));
  } finally {
    tf.setBackend(before);
  }
}

/** Small integers over eight: products and sums of them are exact in float32, so backends must agree to the bit. */
export function numbers(shape: number[], seed = 1): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  let state = seed * 2654435761;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 16) % 33) - 16;
  };
  return tf.tensor(
    Float32Array.from({ length: size }, () => next() / 8),
    shape,
  );
}
