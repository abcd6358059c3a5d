import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { gradientIsRecorded, withGradient } from './with-gradient';

// All three are stable for any finite logits and for −∞ (a masked entry has probability 0), and differentiable as
// often as one likes. The caller owns what they return.

/**
 * `e^x / Σ e^x` along `axis`.
 * @param axis Default: the last.
 * @returns the shape of `x`.
 */
export function softmax<R extends tf.Rank>(x: tf.Tensor<R>, axis = -1): tf.Tensor<R> {
  return alongLast('softmax', x, axis, softmaxLast) as tf.Tensor<R>;
}

/** `log(softmax(x))`, along `axis`, the last by default. */
export function logSoftmax<R extends tf.Rank>(x: tf.Tensor<R>, axis = -1): tf.Tensor<R> {
  return alongLast('logSoftmax', x, axis, logSoftmaxLast) as tf.Tensor<R>;
}

/**
 * `log Σ e^x` along `axis`.
 * @param axis Default: the last.
 * @param keepDims Keeps the axis, with length 1. Default false.
 */
export function logSumExp(x: tf.Tensor, axis = -1, keepDims = false): tf.Tensor {
  return tf.tidy(() => {
    const kept = alongLast('logSumExp', x, axis, logSumExpLast);
    return keepDims ? kept : tf.squeeze(kept, [axis < 0 ? axis + x.rank : axis]);
  });
}

function softmaxLast(x: tf.Tensor): tf.Tensor {
  return withGradient([x], () => {
    const y = tf.softmax(x);
    return {
      value: y,
      saved: [x, y],
      gradient: (dy, [x, y]) => {
        const p = gradientIsRecorded() ? softmaxLast(x!) : y!;
        const weighted = tf.mul(dy, p);
        return tf.sub(weighted, tf.mul(p, tf.sum(weighted, -1, true)));
      },
    };
  });
}

function logSoftmaxLast(x: tf.Tensor): tf.Tensor {
  return withGradient([x], () => {
    const p = tf.softmax(x);
    const { top, excess } = normalizer(x, p);
    return {
      value: tf.sub(tf.sub(x, top), excess),
      saved: [x, p],
      gradient: (dy, [x, saved]) => {
        const p = gradientIsRecorded() ? softmaxLast(x!) : saved!;
        return tf.sub(dy, tf.mul(p, tf.sum(dy, -1, true)));
      },
    };
  });
}

/** `[..., n]` → `[..., 1]`. */
function logSumExpLast(x: tf.Tensor): tf.Tensor {
  return withGradient([x], () => {
    const p = tf.softmax(x);
    const { top, excess } = normalizer(x, p);
    return {
      value: tf.add(top, excess),
      saved: [x, p],
      gradient: (dy, [x, saved]) => tf.mul(gradientIsRecorded() ? softmaxLast(x!) : saved!, dy),
    };
  });
}

/**
 * `log Σ e^x` along the last axis in two parts, from `x` and its softmax: the largest logit, and what is above it. The
 * largest probability is `e^(max − lse)`, at least 1/n, so its logarithm is safe: two row maxima instead of a second
 * exponential over everything. Subtract `top` first: beside logits of 10000, the sum of both would lose digits.
 */
export function normalizer(x: tf.Tensor, p: tf.Tensor): { top: tf.Tensor; excess: tf.Tensor } {
  return { top: tf.max(x, -1, true), excess: tf.neg(tf.log(tf.max(p, -1, true))) };
}

function alongLast(fn: string, x: tf.Tensor, axis: number, f: (rows: tf.Tensor) => tf.Tensor): tf.Tensor {
  const last = x.rank - 1;
  checkArgument(
    Number.isInteger(axis) && axis >= -x.rank && axis <= last,
    fn,
    'axis',
    `an axis of [${x.shape.join(', ')}]`,
    axis,
  );
  const at = axis < 0 ? axis + x.rank : axis;
  if (at === last) return tf.tidy(() => f(x));
  const swap = x.shape.map((_, i) => (i === at ? last : i === last ? at : i));
  return tf.tidy(() => tf.transpose(f(tf.transpose(x, swap)), swap));
}
