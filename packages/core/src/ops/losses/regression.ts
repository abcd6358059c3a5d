import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../../errors';
import { withGradient } from '../with-gradient';
import { checkReduction, checkSameShape, type ReductionOptions, reduce } from './reduce';

// Losses of the difference input − target, as in torch.nn.functional. Both have the same shape (PyTorch would
// broadcast, and warn). A scalar, or the input's shape for reduction 'none', which the caller owns. Gradients reach
// both arguments and can be differentiated again.

/** Loss as a function of the difference, and its derivative. */
interface Curve {
  value: (d: tf.Tensor) => tf.Tensor;
  slope: (d: tf.Tensor) => tf.Tensor;
}

function differenceLoss(
  fn: string,
  input: tf.Tensor,
  target: tf.Tensor,
  { reduction = 'mean' }: ReductionOptions,
  curve: Curve,
): tf.Tensor {
  checkReduction(fn, reduction);
  checkSameShape(fn, input, target);
  return tf.tidy(() => {
    const difference = tf.sub(input, target);
    return withGradient([difference], () => ({
      value: reduce(curve.value(difference), reduction),
      saved: [difference],
      gradient: (dy, [d]) => tf.mul(curve.slope(d!), reduction === 'mean' ? tf.mul(dy, 1 / d!.size) : dy),
    }));
  });
}

const squared: Curve = { value: tf.square, slope: (d) => tf.mul(d, 2) };
const absolute: Curve = { value: tf.abs, slope: tf.sign };

/** With c the difference cut to ±delta: c · (d − c/2), a parabola up to delta and a line beyond. */
const pseudoSquared = (delta: number, factor: number): Curve => {
  const cut = (d: tf.Tensor) => tf.clipByValue(d, -delta, delta);
  const times = (x: tf.Tensor) => (factor === 1 ? x : tf.mul(x, factor));
  return {
    value: (d) => {
      const c = cut(d);
      return times(tf.mul(c, tf.sub(d, tf.mul(c, 0.5))));
    },
    slope: (d) => times(cut(d)),
  };
};

/** Squared error, `d²`. */
export function mse(input: tf.Tensor, target: tf.Tensor, options: ReductionOptions = {}): tf.Tensor {
  return differenceLoss('mse', input, target, options, squared);
}

/** Absolute error, `|d|`. Its gradient at 0 is 0. */
export function l1(input: tf.Tensor, target: tf.Tensor, options: ReductionOptions = {}): tf.Tensor {
  return differenceLoss('l1', input, target, options, absolute);
}

/** Huber's loss: `d²/2` up to `delta` (default 1), `delta · (|d| − delta/2)` beyond. */
export function huber(
  input: tf.Tensor,
  target: tf.Tensor,
  { delta = 1, ...options }: ReductionOptions & { delta?: number } = {},
): tf.Tensor {
  checkArgument(delta > 0, 'huber', 'options.delta', 'a number > 0', delta);
  return differenceLoss('huber', input, target, options, pseudoSquared(delta, 1));
}

/** Huber's loss divided by `beta` (default 1): `|d| − beta/2` beyond it. `beta` 0 is `l1`. */
export function smoothL1(
  input: tf.Tensor,
  target: tf.Tensor,
  { beta = 1, ...options }: ReductionOptions & { beta?: number } = {},
): tf.Tensor {
  checkArgument(beta >= 0, 'smoothL1', 'options.beta', 'a number ≥ 0', beta);
  return differenceLoss(
    'smoothL1',
    input,
    target,
    options,
    beta === 0 ? absolute : pseudoSquared(beta, 1 / beta),
  );
}
