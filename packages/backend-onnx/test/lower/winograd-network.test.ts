import { batchNorm } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { algorithmOf } from '../../src/lower/conv-algorithm';
import { geometryOf, random } from './convolution';

// ReLUs have a kink: an input within rounding of zero may take the other slope, and then one element of a gradient is
// off by far more than rounding, in float32 of any kind. A smooth activation shows what the convolutions alone lose.

const BATCH = 64;

/** As LeakyReLU of slope 0.2 far from zero. */
const smooth = (x: tf.Tensor) => tf.mul(x, tf.add(tf.mul(tf.tanh(x), 0.4), 0.6));

type Conv = (x: tf.Tensor, w: tf.Tensor) => tf.Tensor;

/** 4×4 taps, stride 2, padding 1. */
const conv: Conv = (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 1);

/** The same as one product of columns with the filter. */
const plainConv: Conv = (x, w) => {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const [rows, columns] = [height / 2, width / 2];
  const padded = tf.pad(x, [
    [0, 0],
    [1, 2],
    [1, 2],
    [0, 0],
  ]);
  const taps = Array.from({ length: 16 }, (_, tap) => {
    const start = [0, Math.floor(tap / 4), tap % 4, 0];
    const window = tf.slice(padded, start, [batch, height, width, channels]);
    const pairs = tf.reshape(window, [batch * rows, 2, columns, 2 * channels]); // (B·rows, 2, columns, 2·C)
    const even = tf.slice(pairs, [0, 0, 0, 0], [batch * rows, 1, columns, channels]);
    return tf.reshape(even, [batch * rows * columns, channels]); // (B·rows·columns, C)
  });
  const outChannels = w.shape[3]!;
  const y = tf.matMul(tf.concat(taps, 1), tf.reshape(w, [16 * channels, outChannels]) as tf.Tensor2D);
  return tf.reshape(y, [batch, rows, columns, outChannels]); // (B, rows, columns, out)
};

/** A narrow DCGAN discriminator: 16² → 8² → 4² → 1. */
function lossWith(conv: Conv) {
  return (...[x, w1, w2, weight, bias, w3]: tf.Tensor[]) => {
    const first = smooth(conv(x!, w1!)); // (B, 8, 8, 48)
    const normalized = batchNorm(conv(first, w2!), { weight: weight!, bias: bias!, training: true });
    const second = tf.reshape(smooth(normalized), [BATCH, -1]) as tf.Tensor2D; // (B, 4·4·64)
    return tf.mean(tf.softplus(tf.neg(tf.matMul(second, w3 as tf.Tensor2D)))) as tf.Scalar;
  };
}

const shapes = {
  x: [BATCH, 16, 16, 1],
  w1: [4, 4, 1, 48],
  w2: [4, 4, 48, 64],
  weight: [64],
  bias: [64],
  w3: [1024, 1],
};

const inputs = () =>
  Object.values(shapes).map((shape, i) => {
    const values = tf.tensor(random(tf.util.sizeFromShape(shape), i + 1), shape);
    return i === 0 ? values : tf.mul(values, 0.1);
  });

/** Gradients by all the inputs, one after the other. */
const gradientsWith = (conv: Conv) =>
  tf.tidy(() => {
    const all = tf.grads(lossWith(conv))(inputs());
    return tf.concat(all.map((gradient) => tf.reshape(gradient, [-1]))).dataSync() as Float32Array;
  });

it('gradients through Winograd, batch normalization and smooth activations are those of plain sums', () => {
  const g = geometryOf({ kernel: 4, stride: 2, pad: 1, batch: BATCH, channels: 48, outChannels: 64 });
  expect(algorithmOf(g)).toHaveProperty('y.transform.outputs', 4);

  const received = gradientsWith(conv);
  const expected = gradientsWith(plainConv);
  let start = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    const end = start + tf.util.sizeFromShape(shape);
    const right = expected.subarray(start, end);
    const largest = right.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const error = right.reduce((m, v, i) => Math.max(m, Math.abs(v - received[start + i]!)), 0);
    expect(largest, name).toBeGreaterThan(0);
    expect(error / largest, name).toBeLessThan(1e-5);
    start = end;
  }
  expect(received.length).toBe(start);
});
