import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { exp, sigmoid } from './activations';
import { gradientIsRecorded, withGradient } from './with-gradient';

// x · g(x) with a gate g that rises from 0 to 1: SiLU and the GELUs (Hendrycks & Gimpel 2016). As elsewhere, each
// returns a tensor of its input's shape, which the caller owns, and is differentiable as often as one likes.

interface Gate {
  value: (x: tf.Tensor) => tf.Tensor;
  /** `g′(x)`, given `g(x)`. */
  slope: (g: tf.Tensor, x: tf.Tensor) => tf.Tensor;
}

function gated<R extends tf.Rank>(x: tf.Tensor<R>, gate: Gate): tf.Tensor<R> {
  return withGradient([x], () => {
    const g = gate.value(x);
    return {
      value: tf.mul(x, g),
      saved: [x, g],
      gradient: (dy, [x, saved]) => {
        const g = gradientIsRecorded() ? gate.value(x!) : saved!;
        return tf.mul(dy, tf.add(g, tf.mul(x!, gate.slope(g, x!))));
      },
    };
  });
}

const logistic = (steepness: number): Gate => ({
  value: (x) => sigmoid(steepness === 1 ? x : tf.mul(x, steepness)),
  slope: (g) => {
    const slope = tf.mul(g, tf.sub(1, g));
    return steepness === 1 ? slope : tf.mul(slope, steepness);
  },
});

const normalCdf: Gate = {
  value: (x) => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5),
  slope: (_, x) => tf.mul(exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI)),
};

// ½(1 + tanh u) is σ(2u). This form has no cancellation where tanh is near −1, and σ is the faster kernel.
const A = 2 * Math.sqrt(2 / Math.PI);
const B = A * 0.044715;
const tanhCdf: Gate = {
  value: (x) => sigmoid(tf.mul(x, tf.add(tf.mul(tf.square(x), B), A))),
  slope: (g, x) => tf.mul(tf.mul(g, tf.sub(1, g)), tf.add(tf.mul(tf.square(x), 3 * B), A)),
};

const sigmoidCdf = logistic(1);
const quickCdf = logistic(1.702);

/** `x · sigmoid(x)`, also called swish. */
export function silu<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return gated(x, sigmoidCdf);
}

/**
 * `x · Φ(x)` with the normal distribution function Φ: exact (`'none'`, PyTorch's default) or by its tanh
 * approximation (`'tanh'`; what GPT-2 was trained with).
 */
export function gelu<R extends tf.Rank>(
  x: tf.Tensor<R>,
  approximate: 'none' | 'tanh' = 'none',
): tf.Tensor<R> {
  checkArgument(
    approximate === 'none' || approximate === 'tanh',
    'gelu',
    'approximate',
    "'none' or 'tanh'",
    approximate,
  );
  return gated(x, approximate === 'tanh' ? tanhCdf : normalCdf);
}

/** `x · sigmoid(1.702 x)`: the GELU of OpenAI's CLIP checkpoints. Not interchangeable with `gelu`. */
export function quickGelu<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return gated(x, quickCdf);
}
