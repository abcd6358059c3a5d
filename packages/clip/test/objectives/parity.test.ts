import { hashed, loadFixture, tensorOf } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { infoNCE, l2Normalize, oneWayInfoNCE, sigLIP } from '../../src';

const objectives = { infoNCE, oneWayInfoNCE, sigLIP };
const fixture: Record<string, Case> = loadFixture(import.meta.url, '../../fixtures/objectives.json');

interface Case {
  objective: keyof typeof objectives;
  shape: [number, number];
  logScale: number;
  bias?: number;
  groups?: number[];
  loss: number;
  // biome-ignore lint/suspicious/noExplicitAny: numbers and tensors as the script wrote them
  grads: Record<string, any>;
}

const unit = (x: tf.Tensor) => l2Normalize(x as tf.Tensor2D);

const VALUES = 1e-5;
const GRADIENTS = 1e-4;

describe.each(Object.entries(fixture))('%s', (_name, expected) => {
  const objective = objectives[expected.objective];
  const inputs = () => [
    hashed(expected.shape, 1),
    hashed(expected.shape, 2),
    tf.scalar(expected.logScale),
    tf.scalar(expected.bias ?? 0),
  ];
  const lossOf = (image: tf.Tensor, text: tf.Tensor, logScale: tf.Tensor, bias: tf.Tensor) =>
    objective(image as tf.Tensor2D, text as tf.Tensor2D, tf.exp(logScale), {
      ...(expected.bias !== undefined && { logitBias: bias }),
      ...(expected.groups && { groups: tf.tensor1d(expected.groups, 'int32') }),
    });

  it('has the value of the reference', () => {
    const [image, text, scale, bias] = inputs();
    expect(lossOf(unit(image!), unit(text!), scale!, bias!)).toBeAllClose(expected.loss, VALUES);
  });

  it('has its gradients through the normalization', () => {
    const [image, text, scale, bias] = inputs();
    const { grads } = expected;
    const [toImage, toText, toScale] = tf.grads((i, t, s) => lossOf(unit(i!), unit(t!), s!, bias!))([
      image!,
      text!,
      scale!,
    ]);
    expect(toImage!).toBeAllClose(tensorOf(grads.image), GRADIENTS);
    expect(toText!).toBeAllClose(tensorOf(grads.text), GRADIENTS);
    expect(toScale!).toBeAllClose(grads.logScale, GRADIENTS);
    if (expected.bias === undefined) return;
    const toBias = tf.grad((b) => lossOf(unit(image!), unit(text!), scale!, b))(bias!);
    expect(toBias).toBeAllClose(grads.bias, GRADIENTS);
  });

  it('has its gradients at the normalized features', () => {
    const [image, text, scale, bias] = inputs();
    const [toImage, toText] = tf.grads((i, t) => lossOf(i!, t!, scale!, bias!))([unit(image!), unit(text!)]);
    expect(toImage!).toBeAllClose(tensorOf(expected.grads.unitImage), GRADIENTS);
    expect(toText!).toBeAllClose(tensorOf(expected.grads.unitText), GRADIENTS);
  });
});
