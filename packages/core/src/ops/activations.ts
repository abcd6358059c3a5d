import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { gradientIsRecorded, withGradient } from './with-gradient';

// Elementwise functions as in torch.nn.functional, differentiable as often as one likes. Each returns a tensor of its
// input's shape, which the caller owns. Gradients are in closed form: one small expression of what was saved.

/** A function whose derivative is cheap once its value is known. */
function byValue(
  value: (x: tf.Tensor) => tf.Tensor,
  derivative: (y: tf.Tensor, x: tf.Tensor) => tf.Tensor,
): <R extends tf.Rank>(x: tf.Tensor<R>) => tf.Tensor<R> {
  return function f<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
    return withGradient([x], () => {
      const y = value(x);
      return {
        value: y,
        saved: [x, y],
        gradient: (dy, [x, y]) => tf.mul(dy, derivative(gradientIsRecorded() ? f(x!) : y!, x!)),
      };
    });
  };
}

/** `eˣ`. */
export const exp = byValue(tf.exp, (y) => y);

/** `1 / (1 + e⁻ˣ)`. */
export const sigmoid = byValue(tf.sigmoid, (y) => tf.mul(y, tf.sub(1, y)));

/** Hyperbolic tangent. */
export const tanh = byValue(tf.tanh, (y) => tf.sub(1, tf.square(y)));

/** `max(x, 0)`. The gradient at 0 is 0. */
export function relu<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return leakyRelu(x, 0);
}

/** `x` where it is positive, `negativeSlope · x` elsewhere (also the gradient at 0). */
export function leakyRelu<R extends tf.Rank>(x: tf.Tensor<R>, negativeSlope = 0.01): tf.Tensor<R> {
  return withGradient([x], () => {
    const y = negativeSlope === 0 ? tf.relu(x) : tf.leakyRelu(x, negativeSlope);
    return {
      value: y,
      // The slope depends on the sign alone, which y shares with x, and y is what the next layer keeps anyway. A step
      // has no gradient of its own, so that y is not connected to the tape is right at every order.
      saved: [negativeSlope >= 0 ? y : x],
      gradient: (dy, [signed]) => tf.mul(dy, tf.step(signed!, negativeSlope)),
    };
  });
}

/** `x` where it is positive, `alpha · (eˣ − 1)` elsewhere (Clevert et al. 2016). */
export function elu<R extends tf.Rank>(x: tf.Tensor<R>, alpha = 1): tf.Tensor<R> {
  const f = byValue(
    (x) => {
      const y = tf.elu(x);
      if (alpha === 1) return y;
      const positive = tf.relu(x);
      return tf.add(positive, tf.mul(tf.sub(y, positive), alpha));
    },
    (y, x) => {
      const positive = tf.step(x);
      return tf.add(positive, tf.mul(tf.sub(1, positive), tf.add(y, alpha)));
    },
  );
  return f(x);
}

export interface SoftplusOptions {
  /** Sharpness of the bend. Default 1. */
  beta?: number;
  /** Where `beta · x` is above it, the function is `x` itself. Default 20. */
  threshold?: number;
}

/** `log(1 + e^(beta·x)) / beta`, without overflow. */
export function softplus<R extends tf.Rank>(
  x: tf.Tensor<R>,
  { beta = 1, threshold = 20 }: SoftplusOptions = {},
): tf.Tensor<R> {
  checkArgument(
    beta !== 0 && Number.isFinite(beta),
    'softplus',
    'options.beta',
    'a number other than 0',
    beta,
  );
  // From 16.7 on, log(1 + e^z) is z to the last bit of float32, and the kernel knows.
  const isLinear = threshold < 17 ? (z: tf.Tensor) => tf.step(tf.sub(z, threshold)) : null;
  return withGradient([x], () => {
    const z = scaled(x, beta);
    const bent = scaled(tf.softplus(z), 1 / beta);
    return {
      value: isLinear ? choose(isLinear(z), x, bent) : bent,
      saved: [x],
      gradient: (dy, [x]) => {
        const z = scaled(x!, beta);
        const slope = sigmoid(z);
        return tf.mul(dy, isLinear ? choose(isLinear(z), 1, slope) : slope);
      },
    };
  });
}

/** `log(sigmoid(x))`, accurate where the sigmoid rounds to 0 or 1. */
export function logSigmoid<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return withGradient([x], () => ({
    value: tf.neg(tf.softplus(tf.neg(x))),
    saved: [x],
    gradient: (dy, [x]) => tf.mul(dy, sigmoid(tf.neg(x!))),
  }));
}

/** `a` where the mask is 1, `b` where it is 0, for finite `a` and `b`. tf.where is slow and differentiates only once. */
function choose(mask: tf.Tensor, a: tf.Tensor | number, b: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(mask, a), tf.mul(tf.sub(1, mask), b));
}

function scaled(x: tf.Tensor, factor: number): tf.Tensor {
  return factor === 1 ? x : tf.mul(x, factor);
}
