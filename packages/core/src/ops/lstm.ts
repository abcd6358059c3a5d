import * as tf from '@tensorflow/tfjs-core';
import { sigmoid, tanh } from './activations';
import { linear } from './linear';
import { type RecurrentWeights, recurrentSizes, scan } from './recurrent';

export interface LstmResult {
  /** Hidden state at each position, `[batch, seq, hidden]`. */
  output: tf.Tensor3D;
  /** Hidden state after the last step, `[batch, hidden]`. */
  h: tf.Tensor2D;
  /** Cell state after the last step, `[batch, hidden]`. */
  c: tf.Tensor2D;
}

/**
 * One direction of one LSTM layer, as `torch.nn.LSTM` computes it. Gates in the order input, forget, cell, output:
 * `c' = σ(f)·c + σ(i)·tanh(g)`, `h' = σ(o)·tanh(c')`.
 *
 * @param x `[batch, seq, in]`.
 * @param options.initial `h` and `c`, `[batch, hidden]`. Default zeros.
 * @param options.reverse Runs from the end; `output` stays in the order of `x`.
 * @returns tensors that the caller owns.
 */
export function lstm(
  x: tf.Tensor,
  weights: RecurrentWeights,
  { initial = {}, reverse = false }: { initial?: { h?: tf.Tensor; c?: tf.Tensor }; reverse?: boolean } = {},
): LstmResult {
  const { batch, hidden } = recurrentSizes('lstm', 4, x, weights, { h: initial.h, c: initial.c });
  const { weightIh, weightHh, biasIh, biasHh } = weights;
  return tf.tidy(() => {
    const bias = biasIh && biasHh ? tf.add(biasIh, biasHh) : (biasIh ?? biasHh);
    const projected = linear(x, weightIh, bias); // (batch, seq, 4 · hidden)
    const recurrent = tf.transpose(weightHh as tf.Tensor2D); // (hidden, 4 · hidden)
    const start = [initial.h ?? tf.zeros([batch, hidden]), initial.c ?? tf.zeros([batch, hidden])] as const;
    const { output, states } = scan<readonly [tf.Tensor, tf.Tensor]>(
      projected,
      start,
      reverse,
      (gates, [h, c]) => {
        const sum = tf.add(gates, tf.matMul(h as tf.Tensor2D, recurrent));
        const [i, f, g, o] = tf.split(sum, 4, 1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
        const cell = tf.add(tf.mul(sigmoid(f), c), tf.mul(sigmoid(i), tanh(g)));
        return [tf.mul(sigmoid(o), tanh(cell)), cell];
      },
    );
    return { output, h: states[0] as tf.Tensor2D, c: states[1] as tf.Tensor2D };
  });
}
