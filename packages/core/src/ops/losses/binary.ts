import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../../errors';
import { relu, softplus } from '../activations';
import { checkReduction, checkSameShape, type ReductionOptions, reduce } from './reduce';

// Losses of a yes-or-no question. A scalar, or the input's shape for reduction 'none', which the caller owns.

export interface BceOptions extends ReductionOptions {
  /** Factor of each element's loss; broadcasts over the logits. It does not enter the mean's divisor. */
  weight?: tf.Tensor | null;
  /** Factor of the positive class's term; broadcasts over the logits. Above 1 favours recall. */
  posWeight?: tf.Tensor | null;
}

/**
 * Binary cross-entropy of `sigmoid(logits)`, as `torch.nn.functional.binary_cross_entropy_with_logits`:
 * `posWeight · t · softplus(−x) + (1 − t) · softplus(x)`. Both terms are positive, so nothing cancels, and they are
 * finite for any finite logit. A sigmoid followed by a logarithm would be neither.
 *
 * @param logits any shape, not probabilities.
 * @param targets the same shape, in [0, 1].
 */
export function bceWithLogits(
  logits: tf.Tensor,
  targets: tf.Tensor,
  { weight, posWeight, reduction = 'mean' }: BceOptions = {},
): tf.Tensor {
  checkReduction('bceWithLogits', reduction);
  checkSameShape('bceWithLogits', logits, targets, 'targets');
  checkBroadcasts('weight', weight, logits);
  checkBroadcasts('posWeight', posWeight, logits);
  return tf.tidy(() => {
    const t = tf.cast(targets, 'float32');
    const yes = tf.mul(posWeight ? tf.mul(t, posWeight) : t, softplus(tf.neg(logits)));
    const no = tf.mul(tf.sub(1, t), softplus(logits));
    const losses = tf.add(yes, no);
    return reduce(weight ? tf.mul(losses, weight) : losses, reduction);
  });
}

export interface HingeOptions extends ReductionOptions {
  /** Default 1. */
  margin?: number;
}

/**
 * Hinge loss of a binary classifier: `max(0, margin − y · x)`.
 * @param scores any shape; the sign is the decision.
 * @param labels the same shape, 1 or −1.
 */
export function hinge(
  scores: tf.Tensor,
  labels: tf.Tensor,
  { margin = 1, reduction = 'mean' }: HingeOptions = {},
): tf.Tensor {
  checkReduction('hinge', reduction);
  checkSameShape('hinge', scores, labels, 'labels');
  return tf.tidy(() => {
    const y = tf.cast(labels, 'float32');
    return reduce(relu(tf.sub(margin, tf.mul(y, scores))), reduction);
  });
}

/**
 * As `torch.nn.functional.hinge_embedding_loss`: a distance `x` itself for label 1, `max(0, margin − x)` for −1.
 * @param distances any shape.
 * @param labels the same shape, 1 or −1.
 */
export function hingeEmbedding(
  distances: tf.Tensor,
  labels: tf.Tensor,
  { margin = 1, reduction = 'mean' }: HingeOptions = {},
): tf.Tensor {
  checkReduction('hingeEmbedding', reduction);
  checkSameShape('hingeEmbedding', distances, labels, 'labels');
  return tf.tidy(() => {
    const similar = tf.add(tf.mul(tf.cast(labels, 'float32'), 0.5), 0.5); // 1 or 0
    const apart = relu(tf.sub(margin, distances));
    return reduce(tf.add(tf.mul(similar, distances), tf.mul(tf.sub(1, similar), apart)), reduction);
  });
}

function checkBroadcasts(name: string, factor: tf.Tensor | null | undefined, logits: tf.Tensor): void {
  if (!factor) return;
  const { shape } = logits;
  const ok =
    factor.rank <= shape.length && factor.shape.every((d, i) => d === 1 || d === shape.at(i - factor.rank));
  checkArgument(
    ok,
    'bceWithLogits',
    `options.${name}`,
    `a shape that broadcasts to [${shape.join(', ')}]`,
    factor.shape,
  );
}
