import * as tf from '@tensorflow/tfjs-core';
import { gru } from '../ops/gru';
import { Recurrent, type RecurrentContext, type RecurrentOptions } from './recurrent';

export interface GruOutput {
  /** Last layer's hidden state at each position, `[batch, seq, directions · hidden]`. */
  output: tf.Tensor3D;
  /** Last hidden states, `[layers · directions, batch, hidden]`. */
  h: tf.Tensor3D;
}

/**
 * Gated recurrent unit (Cho et al. 2014) over `[batch, seq, in]`, as `torch.nn.GRU` with `batch_first=True`: same
 * names, same gates (reset, update, new), same order of states.
 */
export class GRU extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions) {
    super('GRU', 3, inputSize, hiddenSize, options);
  }

  /** The caller owns both results. */
  forward(x: tf.Tensor, { initial, key }: RecurrentContext<{ h: tf.Tensor }> = {}): GruOutput {
    return tf.tidy(() => {
      const { output, states } = this.runLayers(
        'GRU.forward',
        x,
        { h: initial?.h },
        key,
        (input, weights, [h], reverse) => {
          const last = gru(input, weights, { initial: { h }, reverse });
          return { output: last.output, states: [last.h] };
        },
      );
      return { output, h: states[0]! };
    });
  }
}
