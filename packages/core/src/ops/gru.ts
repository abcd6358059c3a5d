import * as tf from '@tensorflow/tfjs-core';
import { sigmoid, tanh } from './activations';
import { linear } from './linear';
import { type RecurrentWeights, recurrentSizes, scan } from './recurrent';

export interface GruResult {
  /** Hidden state at each position, `[batch, seq, hidden]`. */
  output: tf.Tensor3D;
  /** Hidden state after the last step, `[batch, hidden]`. */
  h: tf.Tensor2D;
}

/**
 * One direction of one GRU layer, as `torch.nn.GRU` computes it. Gates in the order reset, update, new:
 * `n = tanh(W_in·x + b_in + r·(W_hn·h + b_hn))`, `h' = (1 − z)·n + z·h`. The reset gate multiplies after the matmul,
 * unlike in the paper (Cho et al. 2014).
 *
 * @param x `[batch, seq, in]`.
 * @param options.initial `h`, `[batch, hidden]`. Default zeros.
 * @param options.reverse Runs from the end; `output` stays in the order of `x`.
 * @returns tensors that the caller owns.
 */
export function gru(
  x: tf.Tensor,
  weights: RecurrentWeights,
  { initial = {}, reverse = false }: { initial?: { h?: tf.Tensor }; reverse?: boolean } = {},
): GruResult {
  const { batch, hidden } = recurrentSizes('gru', 3, x, weights, { h: initial.h });
  const { weightIh, weightHh, biasIh, biasHh } = weights;
  return tf.tidy(() => {
    const projected = linear(x, weightIh, biasIh); // (batch, seq, 3 · hidden)
    const recurrent = tf.transpose(weightHh as tf.Tensor2D); // (hidden, 3 · hidden)
    const start = [initial.h ?? tf.zeros([batch, hidden])] as const;
    const { output, states } = scan<readonly [tf.Tensor]>(projected, start, reverse, (gates, [h]) => {
      const share = tf.matMul(h as tf.Tensor2D, recurrent);
      const [rh, zh, nh] = tf.split(biasHh ? tf.add(share, biasHh) : share, 3, 1) as [
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
      ];
      const [rx, zx, nx] = tf.split(gates, 3, 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const z = sigmoid(tf.add(zx, zh));
      const n = tanh(tf.add(nx, tf.mul(sigmoid(tf.add(rx, rh)), nh)));
      return [tf.add(n, tf.mul(z, tf.sub(h, n)))]; // = (1 − z)·n + z·h
    });
    return { output, h: states[0] as tf.Tensor2D };
  });
}
