import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { algorithmOf } from '../../src/lower/conv-algorithm';
import type { ConvGeometry } from '../../src/lower/im2col';
import {
  winogradFilterGradient,
  winogradForward,
  winogradInputGradient,
  winogradPlan,
} from '../../src/lower/winograd';
import { expectClose, geometryOf, inputsOf, random, reference, runLowered } from './convolution';

const cases: [string, ConvGeometry][] = [
  ['k4 s2, as in DCGAN', geometryOf({ kernel: 4, stride: 2, pad: 1 })],
  ['k4 s2 on 14', geometryOf({ kernel: 4, stride: 2, pad: 1, height: 14, width: 14 })],
  ['k4 s2, odd and not square', geometryOf({ kernel: 4, stride: 2, pad: 1, height: 9, width: 15 })],
  ['k4 s2, pixels that no window reads', geometryOf({ kernel: 4, stride: 2, pad: 0, height: 9, width: 11 })],
  ['k4 s2 to one pixel', geometryOf({ kernel: 4, stride: 2, pad: 1, height: 2, width: 2 })],
  ['k6 s2', geometryOf({ kernel: 6, stride: 2, pad: 2, height: 10, width: 12 })],
  ['k2 s1', geometryOf({ kernel: 2, stride: 1, pad: 0, height: 7, width: 6 })],
  ['k3 s1', geometryOf({ kernel: 3, stride: 1, pad: 1, height: 7, width: 10 })],
  ['k3 s1 of one image', geometryOf({ kernel: 3, stride: 1, pad: 1, batch: 1, height: 12, width: 9 })],
  [
    'k3 s1 of one image, unpadded',
    geometryOf({ kernel: 3, stride: 1, pad: 0, batch: 1, height: 12, width: 9 }),
  ],
  ['k3 s1, more padding than needed', geometryOf({ kernel: 3, stride: 1, pad: 2, height: 4, width: 5 })],
  ['k9 s3', geometryOf({ kernel: 9, stride: 3, pad: 4, height: 17, width: 18 })],
];

describe.each([2, 3, 4])('Winograd with tiles of %i', (outputs) => {
  it.each(cases)('%s', (_, g) => {
    const plan = winogradPlan(g, outputs)!;
    const inputs = inputsOf(g);
    const received = runLowered(g, inputs, (c) => ({
      y: winogradForward(c, 'x', 'w', g, plan),
      dx: winogradInputGradient(c, 'dy', 'w', g, plan),
      dw: winogradFilterGradient(c, 'x', 'dy', g, plan),
    }));
    expectClose(received, reference(g, inputs), 3e-6);
  });
});

it('tf.conv2d and its gradients go this way where it gains', () => {
  const g = geometryOf({ kernel: 4, stride: 2, pad: 1, batch: 64, channels: 48, outChannels: 48 });
  expect(algorithmOf(g)).toHaveProperty('y.transform.outputs', 4);
  const [x, w, dy] = [random(64 * 64 * 48, 1), random(16 * 48 * 48, 2), random(64 * 16 * 48, 3)];
  const [dx, dw, y] = tf.tidy(() => {
    const image = tf.tensor4d(x, [64, 8, 8, 48]);
    const filter = tf.tensor4d(w, [4, 4, 48, 48]);
    const conv = (a: tf.Tensor, b: tf.Tensor) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 2, 'same');
    const grads = tf.grads(conv)([image, filter], tf.tensor4d(dy, [64, 4, 4, 48]));
    return [...grads, conv(image, filter)].map((t) => t.dataSync() as Float32Array);
  });
  expectClose({ y: y!, dx: dx!, dw: dw! }, reference(g, { x, w, dy }), 3e-6);
});

describe('winogradPlan', () => {
  it('knows which convolutions have the form', () => {
    expect(winogradPlan(geometryOf({ kernel: 3, stride: 2, pad: 1 }), 2)).toBeUndefined();
    expect(winogradPlan(geometryOf({ kernel: 5, stride: 1, pad: 2 }), 2)).toBeUndefined();
    expect(winogradPlan(geometryOf({ kernel: 1, stride: 1, pad: 0 }), 2)).toBeUndefined();
    const dilated = { ...geometryOf({ kernel: 3, stride: 1, pad: 1 }), dilationHeight: 2 };
    expect(winogradPlan(dilated, 2)).toBeUndefined();
  });
});
