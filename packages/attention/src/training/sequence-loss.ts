import { checkArgument, crossEntropy, type ForwardContext, type Key } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tokens } from '../transformer/tokens';
import { type SequenceBatch, shiftTarget } from './batch';

export interface SequenceLossOptions {
  /** Share of the target that is spread over the vocabulary: section 5.4 of the paper, where it is 0.1. Default 0. */
  labelSmoothing?: number;
}

/** What can be trained: logits of the next token at each place of a target. A `Transformer`, or a model of one's own. */
export interface SequenceModel {
  readonly config: { readonly pad: number };
  forward(source: Tokens, target: Tokens, context?: ForwardContext): tf.Tensor;
}

/**
 * The loss for core's `supervised`: cross-entropy of each token after those before it, padding left out.
 *
 * `supervised(model, sequenceLoss({ labelSmoothing: 0.1 }), adam({ lr: noam(256) }))`
 */
export function sequenceLoss({
  labelSmoothing = 0,
}: SequenceLossOptions = {}): (model: SequenceModel, batch: SequenceBatch, key?: Key) => tf.Scalar {
  const share = labelSmoothing >= 0 && labelSmoothing < 1;
  checkArgument(share, 'sequenceLoss', 'options.labelSmoothing', 'a number in [0, 1)', labelSmoothing);
  return (model, { source, target }, key) =>
    tf.tidy(() => {
      const { input, expected } = shiftTarget(target);
      const logits = model.forward(source, input, { ...(key && { key }) }); // (B, T, vocab)
      return crossEntropy(logits, expected, { ignoreIndex: model.config.pad, labelSmoothing }) as tf.Scalar;
    });
}
