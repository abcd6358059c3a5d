import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../../errors';
import { withGradient } from '../with-gradient';
import { type ClassLossOptions, checkClassOptions, classTargets, pick, reduceRows } from './class-targets';
import { shaped } from './cross-entropy';
import { checkReduction } from './reduce';

/**
 * Negative log-likelihood of classes, as `torch.nn.functional.nll_loss` but with the classes on the LAST axis.
 * `crossEntropy` on logits is this after `logSoftmax`, in one step.
 *
 * @param logProbabilities `[..., classes]`, float32.
 * @param targets classes, int32 `[...]`; one that does not exist: as for `crossEntropy`.
 * @returns a scalar, or `[...]` for reduction `'none'`. The caller owns it.
 */
export function nll(
  logProbabilities: tf.Tensor,
  targets: tf.Tensor,
  options: ClassLossOptions = {},
): tf.Tensor {
  const { weight = null, ignoreIndex = -100, reduction = 'mean' } = options;
  checkReduction('nll', reduction);
  checkArgument(
    logProbabilities.rank >= 1,
    'nll',
    'logProbabilities',
    '[..., classes]',
    logProbabilities.shape,
  );
  const classes = logProbabilities.shape.at(-1)!;
  checkClassOptions('nll', options, classes);
  const leading = logProbabilities.shape.slice(0, -1);
  const fits = targets.dtype === 'int32' && targets.shape.join() === leading.join();
  const received = `${targets.dtype} [${targets.shape.join(', ')}]`;
  checkArgument(fits, 'nll', 'targets', `classes, int32 [${leading.join(', ')}]`, received);
  return tf.tidy(() => {
    const rows = tf.reshape(logProbabilities, [logProbabilities.size / classes, classes]);
    const t = classTargets('nll', targets, classes, ignoreIndex);
    const weights = weight && tf.gather(weight, t.index);
    const likely = picked(rows, t.index);
    const losses = tf.neg(weights ? tf.mul(likely, weights) : likely);
    return shaped(reduceRows(losses, t, weights, reduction), leading);
  });
}

/** `pick` with a gradient that is a one-hot product rather than a scatter, which is slow or missing. */
function picked(x: tf.Tensor, index: tf.Tensor1D): tf.Tensor {
  const [rows, classes] = x.shape as [number, number];
  return withGradient([x], () => ({
    value: pick(x, index),
    saved: [index],
    gradient: (dy, [index]) =>
      tf.mul(tf.oneHot(index as tf.Tensor1D, classes, 1, 0, 'float32'), tf.reshape(dy, [rows, 1])),
  }));
}
