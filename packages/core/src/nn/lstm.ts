import * as tf from '@tensorflow/tfjs-core';
import { lstm } from '../ops/lstm';
import { Recurrent, type RecurrentContext, type RecurrentOptions } from './recurrent';

export interface LstmOutput {
  /** Last layer's hidden state at each position, `[batch, seq, directions · hidden]`. */
  output: tf.Tensor3D;
  /** Last hidden states, `[layers · directions, batch, hidden]`. */
  h: tf.Tensor3D;
  /** Last cell states, likewise. */
  c: tf.Tensor3D;
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997) over `[batch, seq, in]`, as `torch.nn.LSTM` with
 * `batch_first=True`: same names, same gates (input, forget, cell, output), same order of states.
 */
export class LSTM extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions) {
    super('LSTM', 4, inputSize, hiddenSize, options);
  }

  /** The caller owns all three results. */
  forward(x: tf.Tensor, { initial, key }: RecurrentContext<{ h: tf.Tensor; c: tf.Tensor }> = {}): LstmOutput {
    return tf.tidy(() => {
      const { output, states } = this.runLayers(
        'LSTM.forward',
        x,
        { h: initial?.h, c: initial?.c },
        key,
        (input, weights, [h, c], reverse) => {
          const last = lstm(input, weights, { initial: { h, c }, reverse });
          return { output: last.output, states: [last.h, last.c] };
        },
      );
      return { output, h: states[0]!, c: states[1]! };
    });
  }
}
