import { logSigmoid } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { similarityLogits } from './logits';
import { type ContrastiveOptions, checkContrast } from './objective';
import { positives } from './positives';

/**
 * The sigmoid loss (Zhai et al. 2023, algorithm 1; open_clip's `SigLipLoss`): of each of the n² pairs it is asked
 * whether picture and text belong together.
 *
 * `−1/n Σ_ij log σ(z_ij (scale · image_i · text_j + bias))` with `z` 1 for positives and −1 for the others. It wants
 * `logitBias`, −10 at the start, against the many negatives. With `groups`, all pairs of a group are positives.
 *
 * @throws ArgumentError as `infoNCE`.
 */
export function sigLIP(
  image: tf.Tensor2D,
  text: tf.Tensor2D,
  logitScale: tf.Tensor,
  options: ContrastiveOptions = {},
): tf.Scalar {
  checkContrast('sigLIP', image, text, logitScale, options);
  const { groups, logitBias } = options;
  const [n] = image.shape;
  return tf.tidy(() => {
    const similarity = similarityLogits(image, text, logitScale); // (n, n)
    const logits = logitBias ? tf.add(similarity, tf.reshape(logitBias, [])) : similarity;
    const signs = tf.sub(tf.mul(positives(n, groups), 2), 1); // (n, n)
    return tf.div(tf.neg(tf.sum(logSigmoid(tf.mul(signs, logits)))), n) as tf.Scalar;
  });
}

/** That of one probability for all pairs, the share `p` of positives: `n (−p ln p − (1 − p) ln(1 − p))`. */
sigLIP.chance = (n: number, groups?: tf.Tensor1D | null): tf.Scalar =>
  tf.tidy(() => {
    if (n === 1) return tf.scalar(0);
    const p = tf.mean(positives(n, groups));
    const q = tf.sub(1, p);
    // All of one group leaves no negatives: 0 · ln 0 is 0.
    const entropy = tf.neg(tf.add(tf.mul(p, tf.log(p)), tf.mul(q, tf.log(tf.maximum(q, 1e-12)))));
    return tf.mul(entropy, n) as tf.Scalar;
  });
