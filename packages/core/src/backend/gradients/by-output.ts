import * as tf from '@tensorflow/tfjs-core';
import { type Gradient, isRecorded, reduceTo } from './config';

// Functions whose gradient is cheapest from their own value.
//
// tfjs hands a gradient what it saved of an *output* as a constant: its copy goes onto the tape before the operation
// that made it. Differentiated once that is right; a second time it silently loses terms (the second derivative of
// exp comes out as 0). So where the gradient is recorded, the value is computed again from the input, which the tape
// knows. The input is saved only where there may be such a second time, that is inside another gradient.

interface ByOutput {
  kernelName: string;
  input: string;
  // biome-ignore lint/suspicious/noExplicitAny: attributes have a different type for each kernel
  value(x: tf.Tensor, attrs: any): tf.Tensor;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  slope(dy: tf.Tensor, y: tf.Tensor, attrs: any): tf.Tensor;
}

function byOutput({ kernelName, input, value, slope }: ByOutput): Gradient {
  return {
    kernelName,
    get inputsToSave() {
      return mayBeRecorded() ? [input] : [];
    },
    outputsToSave: [true],
    gradFunc: (dy, saved, attrs) => ({
      [input]: () => {
        const [x, y] = saved.length === 2 ? saved : [undefined, saved[0]];
        return slope(dy, x && isRecorded() ? value(x, attrs) : y!, attrs);
      },
    }),
  };
}

function mayBeRecorded(): boolean {
  return tf.engine().state.gradientDepth > 1;
}

const elu = byOutput({
  kernelName: tf.Elu,
  input: 'x',
  value: (x) => tf.elu(x),
  // y + 1 where y is negative, else 1.
  slope: (dy, y) => tf.mul(dy, tf.sub(1, tf.relu(tf.neg(y)))),
});

const exp = byOutput({
  kernelName: tf.Exp,
  input: 'x',
  value: (x) => tf.exp(x),
  slope: (dy, y) => tf.mul(dy, y),
});

const sigmoid = byOutput({
  kernelName: tf.Sigmoid,
  input: 'x',
  value: (x) => tf.sigmoid(x),
  slope: (dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y))),
});

const softmax = byOutput({
  kernelName: tf.Softmax,
  input: 'logits',
  value: (x, { dim }: { dim: number }) => tf.softmax(x, dim),
  slope: (dy, y, { dim }: { dim: number }) => {
    const weighted = tf.mul(dy, y);
    return tf.sub(weighted, tf.mul(tf.sum(weighted, dim, true), y));
  },
});

const tanh = byOutput({
  kernelName: tf.Tanh,
  input: 'x',
  value: (x) => tf.tanh(x),
  slope: (dy, y) => tf.mul(dy, tf.sub(1, tf.square(y))),
});

const pow: Gradient = {
  kernelName: tf.Pow,
  inputsToSave: ['a', 'b'],
  outputsToSave: [true],
  gradFunc: (dy, [a, b, saved]) => ({
    a: () => {
      const exponent = tf.cast(b!, 'float32');
      return reduceTo(tf.mul(dy, tf.mul(exponent, tf.pow(a!, tf.sub(exponent, 1)))), a!.shape);
    },
    b: () => {
      const y = isRecorded() ? tf.pow(a!, b!) : saved!;
      // log of what is not positive counts as 0, as in TensorFlow.
      const logarithm = tf.where(tf.greater(a!, 0), tf.log(a!), tf.zerosLike(a!));
      return reduceTo(tf.mul(dy, tf.mul(y, logarithm)), b!.shape);
    },
  }),
};

export const byOutputGradients: readonly Gradient[] = [elu, exp, pow, sigmoid, softmax, tanh];
