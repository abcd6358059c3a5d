import * as tf from '@tensorflow/tfjs-core';
import { exp, relu } from '../activations';
import { checkReduction, checkSameShape, type Reduction, reduce, total } from './reduce';

export interface KlDivergenceOptions {
  /**
   * `'batchmean'` is the divergence itself, averaged over the first axis. `'mean'`, the default as in PyTorch, also
   * divides by the number of classes, and so is not the divergence.
   */
  reduction?: Reduction | 'batchmean';
  /** The target holds logarithms of probabilities too. Default false. */
  logTarget?: boolean;
}

const SMALLEST = 2 ** -126;

/**
 * `target · (log target − input)`, as `torch.nn.functional.kl_div`: the divergence of `input` from `target`.
 *
 * @param input logarithms of probabilities, any shape.
 * @param target probabilities of the same shape (0 contributes 0), or their logarithms with `logTarget`.
 * @returns a scalar, or the input's shape for `'none'`. The caller owns it.
 */
export function klDivergence(
  input: tf.Tensor,
  target: tf.Tensor,
  { reduction = 'mean', logTarget = false }: KlDivergenceOptions = {},
): tf.Tensor {
  checkReduction('klDivergence', reduction, ['mean', 'batchmean', 'sum', 'none']);
  checkSameShape('klDivergence', input, target);
  return tf.tidy(() => {
    const logOf = (t: tf.Tensor) => tf.log(tf.add(relu(t), SMALLEST)); // finite at 0
    const losses = logTarget
      ? tf.mul(exp(target), tf.sub(target, input))
      : tf.mul(target, tf.sub(logOf(target), input));
    return reduction === 'batchmean'
      ? tf.mul(total(losses), 1 / (input.shape[0] ?? 1))
      : reduce(losses, reduction);
  });
}
