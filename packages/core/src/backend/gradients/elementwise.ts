import * as tf from '@tensorflow/tfjs-core';
import { type Gradient, kernel, reduceTo, zero } from './config';

/** By a step, which has no slope of its own, so that the gradient can be differentiated as often as one likes. */
const leakyRelu: Gradient = {
  kernelName: tf.LeakyRelu,
  inputsToSave: ['x'],
  gradFunc: (dy, [x], { alpha }: { alpha: number }) => ({ x: () => tf.mul(dy, tf.step(x!, alpha)) }),
};

const prelu: Gradient = {
  kernelName: tf.Prelu,
  inputsToSave: ['x', 'alpha'],
  gradFunc: (dy, [x, alpha]) => ({
    x: () => {
      const positive = tf.step(x!);
      return tf.mul(dy, tf.add(positive, tf.mul(tf.sub(1, positive), alpha!)));
    },
    alpha: () => reduceTo(tf.mul(dy, tf.mul(x!, tf.sub(1, tf.step(x!)))), alpha!.shape),
  }),
};

/** The gradient of elu as a kernel of its own: dy · (1 − relu(−y)). */
const eluGrad: Gradient = {
  kernelName: tf.EluGrad,
  inputsToSave: ['dy', 'y'],
  gradFunc: (ddx, [dy, y]) => ({
    dy: () => kernel(tf.EluGrad, { dy: ddx, y: y! }),
    y: () => tf.mul(tf.mul(ddx, dy!), tf.sub(1, tf.step(y!))),
  }),
};

// tfjs's own forget to sum over the axes along which an input was broadcast.

function extremum(kernelName: string, first: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Gradient {
  return {
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => ({
      a: () => reduceTo(tf.mul(dy, tf.cast(first(a!, b!), 'float32')), a!.shape),
      b: () => reduceTo(tf.mul(dy, tf.cast(tf.logicalNot(first(a!, b!)), 'float32')), b!.shape),
    }),
  };
}

const squaredDifference: Gradient = {
  kernelName: tf.SquaredDifference,
  inputsToSave: ['a', 'b'],
  gradFunc: (dy, [a, b]) => ({
    a: () => reduceTo(tf.mul(dy, tf.mul(tf.sub(a!, b!), 2)), a!.shape),
    b: () => reduceTo(tf.mul(dy, tf.mul(tf.sub(b!, a!), 2)), b!.shape),
  }),
};

/**
 * Comparisons and logic: constant almost everywhere, as step, sign and floor are, which tfjs knows. Without it every
 * gradient that selects by a comparison (max, min, clip, pow, relu6, where) throws when it is differentiated again.
 */
function constant(kernelName: string, ...inputs: string[]): Gradient {
  return {
    kernelName,
    inputsToSave: inputs,
    gradFunc: (_, saved) => Object.fromEntries(inputs.map((name, i) => [name, () => zero(saved[i]!)])),
  };
}

export const elementwiseGradients: readonly Gradient[] = [
  leakyRelu,
  prelu,
  eluGrad,
  extremum(tf.Maximum, tf.greaterEqual),
  extremum(tf.Minimum, tf.lessEqual),
  squaredDifference,
  ...[
    tf.Equal,
    tf.Greater,
    tf.GreaterEqual,
    tf.Less,
    tf.LessEqual,
    tf.LogicalAnd,
    tf.LogicalOr,
    tf.LogicalXor,
    tf.NotEqual,
  ].map((name) => constant(name, 'a', 'b')),
  constant(tf.LogicalNot, 'x'),
];
