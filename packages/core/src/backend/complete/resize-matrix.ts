import * as tf from '@tensorflow/tfjs-core';

// Resizing is linear, along one axis after the other: a matrix for each axis.

export type ResizeMode = 'corners' | 'half pixels' | 'plain';

export function resizeMode(attrs: { alignCorners?: boolean; halfPixelCenters?: boolean }): ResizeMode {
  return attrs.halfPixelCenters ? 'half pixels' : attrs.alignCorners ? 'corners' : 'plain';
}

/** Calls `add(i, weight)` for the inputs i of output `o`. */
type Weights = (
  o: number,
  input: number,
  output: number,
  mode: ResizeMode,
  add: (i: number, weight: number) => void,
) => void;

export const bilinearWeights: Weights = (o, input, output, mode, add) => {
  const at = Math.max(0, sourceOf(o, input, output, mode));
  const low = Math.min(input - 1, Math.floor(at));
  const part = Math.min(1, at - low);
  add(low, 1 - part);
  add(Math.min(input - 1, low + 1), part);
};

export const nearestWeights: Weights = (o, input, output, mode, add) => {
  const at = mode === 'half pixels' ? (o + 0.5) * (input / output) : sourceOf(o, input, output, mode);
  add(Math.min(input - 1, mode === 'corners' ? Math.round(at) : Math.floor(at)), 1);
};

function sourceOf(o: number, input: number, output: number, mode: ResizeMode): number {
  if (mode === 'half pixels') return (o + 0.5) * (input / output) - 0.5;
  if (mode === 'corners' && output > 1) return o * ((input - 1) / (output - 1));
  return o * (input / output);
}

/** The gradient of a resizing: dy times both matrices, transposed. `[batch, height, width, channels]` as `shape`. */
export function resizeGradient(
  dy: tf.Tensor,
  shape: number[],
  weights: Weights,
  mode: ResizeMode,
): tf.Tensor {
  const [batch, height, width, channels] = shape as [number, number, number, number];
  const [, oh, ow] = dy.shape as [number, number, number, number];
  const columns = tf.matMul(transposed(weights, width, ow, mode), tf.reshape(dy, [batch * oh, ow, channels])); // (batch · oh, width, channels)
  const rows = tf.matMul(
    transposed(weights, height, oh, mode),
    tf.reshape(columns, [batch, oh, width * channels]),
  ); // (batch, height, width · channels)
  return tf.reshape(rows, shape);
}

/** `[1, input, output]` */
function transposed(weights: Weights, input: number, output: number, mode: ResizeMode): tf.Tensor3D {
  const values = new Float32Array(input * output);
  for (let o = 0; o < output; o++) {
    weights(o, input, output, mode, (i, weight) => {
      values[i * output + o]! += weight;
    });
  }
  return tf.tensor3d(values, [1, input, output]);
}
