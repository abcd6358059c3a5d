import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../../errors';
import { logSoftmax, normalizer, softmax } from '../softmax';
import { gradientIsRecorded, withGradient } from '../with-gradient';
import { type ClassLossOptions, checkClassOptions, classTargets, pick, reduceRows } from './class-targets';
import { checkReduction, reduce } from './reduce';

export interface CrossEntropyOptions extends ClassLossOptions {
  /** Share of the target that is spread evenly over all classes (Szegedy et al. 2016), in [0, 1]. Default 0. */
  labelSmoothing?: number;
}

/**
 * Cross-entropy of `softmax(logits)`, as `torch.nn.functional.cross_entropy` but with the classes on the LAST axis
 * (PyTorch has them on the second): `[batch, classes]`, `[batch, seq, vocab]`, `[batch, height, width, classes]`.
 *
 * Pass logits, not probabilities: a softmax before this loss is a well-known mistake that trains badly in silence.
 *
 * @param logits `[..., classes]`, float32. −∞ masks a class.
 * @param targets classes, int32 `[...]`, or probabilities, float32 `[..., classes]`.
 * @returns a scalar, or `[...]` for reduction `'none'`. The caller owns it. Twice differentiable.
 *   `'mean'` divides by the number of targets that count, or by the sum of their class weights; with probabilities
 *   by the number of rows.
 * @throws ArgumentError for a class outside `[0, classes)` that is not `ignoreIndex`, on cpu and wasm. On other
 *   backends, where looking would stall the device, the loss becomes NaN.
 */
export function crossEntropy(
  logits: tf.Tensor,
  targets: tf.Tensor,
  options: CrossEntropyOptions = {},
): tf.Tensor {
  const { weight = null, ignoreIndex = -100, labelSmoothing = 0, reduction = 'mean' } = options;
  checkReduction('crossEntropy', reduction);
  checkArgument(logits.rank >= 1, 'crossEntropy', 'logits', '[..., classes]', logits.shape);
  const classes = logits.shape.at(-1)!;
  checkClassOptions('crossEntropy', options, classes);
  const share = labelSmoothing >= 0 && labelSmoothing <= 1;
  checkArgument(share, 'crossEntropy', 'options.labelSmoothing', 'a number in [0, 1]', labelSmoothing);
  const leading = logits.shape.slice(0, -1);
  const given = targets.shape.join();
  const areClasses = targets.dtype === 'int32' && given === leading.join();
  const areProbabilities = targets.dtype === 'float32' && given === logits.shape.join();
  checkArgument(
    areClasses || areProbabilities,
    'crossEntropy',
    'targets',
    `classes, int32 [${leading.join(', ')}], or probabilities, float32 [${logits.shape.join(', ')}]`,
    `${targets.dtype} [${targets.shape.join(', ')}]`,
  );
  const rows = logits.size / classes;
  return tf.tidy(() => {
    const x = tf.reshape(logits, [rows, classes]);
    if (areProbabilities) {
      const q = tf.reshape(targets, [rows, classes]);
      return shaped(reduce(againstProbabilities(x, q, weight, labelSmoothing), reduction), leading);
    }
    const t = classTargets('crossEntropy', targets, classes, ignoreIndex);
    const losses = againstClasses(x, t.index, weight, labelSmoothing);
    return shaped(reduceRows(losses, t, weight && tf.gather(weight, t.index), reduction), leading);
  });
}

/** `Σ w q′ (lse − x)` per row, with `q′ = (1 − ε) q + ε / classes`. Gradients reach the probabilities too. */
function againstProbabilities(
  x: tf.Tensor,
  q: tf.Tensor,
  weight: tf.Tensor | null,
  smoothing: number,
): tf.Tensor {
  const smooth = smoothing === 0 ? q : tf.add(tf.mul(q, 1 - smoothing), smoothing / x.shape[1]!);
  const weighted = weight ? tf.mul(smooth, weight) : smooth;
  return tf.neg(tf.sum(tf.mul(weighted, logSoftmax(x)), -1)); // (rows)
}

/**
 * The same for one-hot `q`, without building it for the value: `(1 − ε) w_t (lse − x_t) + ε mean(w (lse − x))`.
 * The gradient is `mass · softmax(x) − w q′` with `mass = Σ w q′`, which is 1 without weights.
 */
function againstClasses(
  x: tf.Tensor,
  index: tf.Tensor1D,
  weight: tf.Tensor | null,
  smoothing: number,
): tf.Tensor {
  const [rows, classes] = x.shape as [number, number];
  const even = smoothing / classes;
  return withGradient([x], () => {
    const p = tf.softmax(x);
    const { top, excess } = normalizer(x, p); // (rows, 1)
    /** `lse − logits`, for one logit of each row or for all. */
    const below = (logits: tf.Tensor) => tf.add(tf.sub(top, logits), excess);
    const hit = tf.reshape(below(tf.reshape(pick(x, index), [rows, 1])), [rows]);
    const weighted = weight ? tf.mul(hit, tf.gather(weight, index)) : hit;
    const spread = () => {
      const misses = below(x); // (rows, classes)
      return tf.mul(tf.sum(weight ? tf.mul(misses, weight) : misses, -1), even);
    };
    return {
      value: smoothing === 0 ? weighted : tf.add(tf.mul(weighted, 1 - smoothing), spread()),
      saved: weight ? [x, p, index, weight] : [x, p, index],
      gradient: (dy, [x, saved, index, weight]) => {
        const p = gradientIsRecorded() ? softmax(x!) : saved!;
        const q = tf.oneHot(index as tf.Tensor1D, classes, 1 - smoothing + even, even, 'float32');
        const dyRows = tf.reshape(dy, [rows, 1]);
        if (!weight) return tf.mul(tf.sub(p, q), dyRows);
        const wq = tf.mul(q, weight);
        return tf.mul(tf.sub(tf.mul(p, tf.sum(wq, -1, true)), wq), dyRows);
      },
    };
  });
}

/** A loss per row gets the leading axes back; a scalar stays one. */
export function shaped(loss: tf.Tensor, leading: number[]): tf.Tensor {
  return loss.rank === 0 ? loss : tf.reshape(loss, leading);
}
