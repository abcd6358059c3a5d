import { crossEntropy } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { similarityLogits } from './logits';
import { type ContrastiveOptions, checkContrast } from './objective';
import { evenTargets } from './positives';

/**
 * CLIP's loss (Radford et al. 2021, figure 3; open_clip's `ClipLoss`): each picture is to find its text among the n of
 * the batch, and each text its picture.
 *
 * `½ (CE(L, q) + CE(Lᵀ, q))` with `L = scale · image · textᵀ` and `q` the identity.
 *
 * With `groups`, every pair of a group is right, and the target is spread evenly over them:
 * `q_ij = [g_i = g_j] / #{k : g_k = g_i}`. That is UniCL's bidirectional loss (Yang et al. 2022, equations 3 and 4), for
 * one side `−1/|P(i)| Σ_{j ∈ P(i)} log p_ij`, the form outside of the logarithm of Khosla et al. 2020, equation 2. Its
 * minimum is the mean entropy of `q`, above 0 as soon as a group has two pairs.
 *
 * A batch of one has nothing to compare with: its loss is 0, and so are its gradients. It is reported by a warning,
 * once.
 *
 * @throws ArgumentError for features of unlike shapes, groups of another length, and, where values can be seen at no
 *   cost (cpu, wasm), for rows that are not of length 1 and a scale that is no finite number > 0. On other backends
 *   a scale of NaN is a loss of NaN, which `train()` throws a `NumericError` for.
 */
export function infoNCE(
  image: tf.Tensor2D,
  text: tf.Tensor2D,
  logitScale: tf.Tensor,
  options: ContrastiveOptions = {},
): tf.Scalar {
  checkContrast('infoNCE', image, text, logitScale, options);
  warnOfOne('infoNCE', image);
  return tf.tidy(() => {
    const logits = similarityLogits(image, text, logitScale); // (n, n)
    const targets = targetsOf(image.shape[0], options.groups);
    const toText = crossEntropy(logits, targets);
    const toImage = crossEntropy(tf.transpose(logits), targets); // the targets are symmetric
    return tf.mul(tf.add(toText, toImage), 0.5) as tf.Scalar;
  });
}

/** `ln n`, with groups as well. */
infoNCE.chance = (n: number): tf.Scalar => tf.scalar(Math.log(n));

/**
 * InfoNCE in one direction (van den Oord et al. 2018, equation 4): each row of the first is to find its row of the
 * second, and not the other way round. For comparison: it lets many pictures crowd around few texts, and `infoNCE`
 * is what CLIP is trained with. The other direction is `oneWayInfoNCE(text, image, …)`.
 *
 * Options and errors are those of `infoNCE`.
 */
export function oneWayInfoNCE(
  image: tf.Tensor2D,
  text: tf.Tensor2D,
  logitScale: tf.Tensor,
  options: ContrastiveOptions = {},
): tf.Scalar {
  checkContrast('oneWayInfoNCE', image, text, logitScale, options);
  warnOfOne('oneWayInfoNCE', image);
  return tf.tidy(() => {
    const logits = similarityLogits(image, text, logitScale); // (n, n)
    return crossEntropy(logits, targetsOf(image.shape[0], options.groups)) as tf.Scalar;
  });
}

oneWayInfoNCE.chance = infoNCE.chance;

/** Classes where each row has one right answer, otherwise probabilities. */
function targetsOf(n: number, groups: tf.Tensor1D | null | undefined): tf.Tensor {
  return groups ? evenTargets(n, groups) : tf.range(0, n, 1, 'int32');
}

let warned = false;

function warnOfOne(fn: string, { shape: [n] }: tf.Tensor2D): void {
  if (n > 1 || warned) return;
  warned = true;
  console.warn(`${fn}: a batch of one pair has nothing to compare with, its loss is 0 and trains nothing`);
}
