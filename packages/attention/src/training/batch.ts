import { checkArgument } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** A batch for sequence to sequence: int32 `[batch, sourceLength]` and `[batch, targetLength]`, padded. */
export interface SequenceBatch {
  source: tf.Tensor;
  /** From start to end, both included. */
  target: tf.Tensor;
  /** Where the pairs have some: int32 `[batch, sourceLength]`. */
  labels?: tf.Tensor;
}

/**
 * A target as what the decoder is fed and what it is to say: all but the last token, and all but the first.
 *
 * @param target int32 `[batch, seq]`, from start to end, seq at least 2.
 * @returns both `[batch, seq − 1]`. The caller owns them.
 */
export function shiftTarget(target: tf.Tensor): { input: tf.Tensor2D; expected: tf.Tensor2D } {
  const ok = target.rank === 2 && target.dtype === 'int32' && target.shape[1]! >= 2;
  const got = `${target.dtype} [${target.shape.join(', ')}]`;
  checkArgument(ok, 'shiftTarget', 'target', 'int32 [batch, seq] of at least 2 tokens', got);
  const [batch, seq] = target.shape as [number, number];
  return {
    input: tf.slice(target, [0, 0], [batch, seq - 1]) as tf.Tensor2D,
    expected: tf.slice(target, [0, 1], [batch, seq - 1]) as tf.Tensor2D,
  };
}
