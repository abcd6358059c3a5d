import { randomKey, valueAndGrad } from '@poiesis/core';
import { expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  type ClipConfig,
  type ImageTower,
  resolveConfig,
  SiglipTextTransformer,
  SiglipVisionTransformer,
  TextTransformer,
  VisionTransformer,
} from '../../src';

const sizes: ClipConfig = {
  image: { imageSize: [8, 12], patchSize: 4, dim: 8, layers: 2, heads: 2 },
  text: { vocabSize: 12, contextLength: 6, dim: 6, layers: 2, heads: 2, endToken: 9 },
  embedDim: 8,
};
const clip = resolveConfig(sizes);
const siglip = resolveConfig({ ...sizes, family: 'siglip' });
const key = randomKey(3);
const pixels = hashed([2, 8, 12, 3], 1) as tf.Tensor4D;
const text = (...tokens: number[]) => tf.tensor2d(tokens, [1, tokens.length], 'int32');

const images: Record<string, (config: typeof clip) => ImageTower> = {
  VisionTransformer: ({ image }) => new VisionTransformer(image, 5, { key }),
  SiglipVisionTransformer: ({ image }) => new SiglipVisionTransformer(image, { key }),
};

describe.each(Object.entries(images))('%s', (name, make) => {
  const family = name === 'VisionTransformer' ? clip : siglip;
  const dim = name === 'VisionTransformer' ? 5 : 8;
  const seq = name === 'VisionTransformer' ? 7 : 6;

  it('stands alone: pictures in, features out', async () => {
    const tower = make(family);
    expect(tower.forward(pixels).shape).toEqual([2, dim]);
    expect(tower.features(pixels).shape).toEqual([2, seq, 8]);
    await expectNoLeak(() => tower.forward(pixels).dispose());
  });

  it.runIf(name !== 'VisionTransformer')('does not see pixels that fill no patch', () => {
    const odd = resolveConfig({ ...sizes, family: 'siglip', image: { ...sizes.image, imageSize: [11, 14] } });
    const [tower, whole] = [make(odd), make(family)];
    const more = tf.pad(pixels, [
      [0, 0],
      [0, 3],
      [0, 2],
      [0, 0],
    ]);
    expect(tower.forward(more as tf.Tensor4D)).toBeAllClose(whole.forward(pixels), 1e-6);
  });

  it('sends a gradient into every parameter', () => {
    const tower = make(family);
    const parameters = tower.namedParameters();
    const { grads } = valueAndGrad(
      () => tf.sum(tf.mul(tower.forward(pixels), hashed([2, dim], 9))) as tf.Scalar,
      parameters,
    );
    expect(Object.keys(grads).sort()).toEqual(Object.keys(parameters).sort());
    for (const [name, grad] of Object.entries(grads)) {
      const values = [...grad.dataSync()];
      expect(values.every(Number.isFinite), name).toBe(true);
      expect(
        values.some((value) => value !== 0),
        name,
      ).toBe(true);
    }
  });

  it('leaves out patches in training only, with a key', () => {
    const tower = make({ ...family, image: { ...family.image, patchDropout: 0.5 } });
    expect(() => tower.forward(pixels)).toThrow(/options\.key/);
    const extra = seq - 6;
    expect(tower.features(pixels, { key: randomKey(1) }).shape).toEqual([2, extra + 3, 8]);
    const some = tower.forward(pixels, { key: randomKey(1) });
    expect(tower.forward(pixels, { key: randomKey(1) })).toBeAllClose(some, 0);
    tower.eval();
    expect(tower.features(pixels).shape).toEqual([2, seq, 8]);
  });

  it.each([
    ['another size', [2, 8, 8, 3], 'float32'],
    ['height and width exchanged', [2, 12, 8, 3], 'float32'],
    ['channels first', [2, 3, 8, 12], 'float32'],
    ['one channel', [2, 8, 12, 1], 'float32'],
    ['one picture without batch', [8, 12, 3], 'float32'],
    ['no picture', [0, 8, 12, 3], 'float32'],
    ['bytes', [2, 8, 12, 3], 'int32'],
  ] as const)('refuses %s', (_, shape, type) => {
    const tower = make(family);
    expect(() => tower.forward(tf.zeros(shape as [number, number, number, number], type))).toThrow(
      /\(pixels\): expected float32 \[batch, 8, 12, 3\]/,
    );
  });
});

describe('TextTransformer', () => {
  const tower = new TextTransformer(clip.text, 5, { key });

  it('does not feel what stands behind the end, nor how long that is', () => {
    const short = tower.forward(text(8, 3, 9));
    expect(short.shape).toEqual([1, 5]);
    expect(tower.forward(text(8, 3, 9, 0, 0, 0))).toBeAllClose(short, 1e-5);
    expect(tower.forward(text(8, 3, 9, 11, 9, 4))).toBeAllClose(short, 1e-5);
    expect(tower.forward(text(8, 4, 9)).dataSync()).not.toEqual(short.dataSync());
  });

  it('looks for the end token, not for the highest', () => {
    const added = tower.forward(text(8, 11, 3, 9));
    expect(tower.forward(text(8, 11, 4, 9)).dataSync()).not.toEqual(added.dataSync());
  });

  it.each([
    [
      'a text that is too long',
      () => text(8, 1, 2, 3, 4, 5, 9),
      /int32 \[batch, seq\] with at most 6 tokens/,
    ],
    ['no text', () => tf.zeros([0, 3], 'int32'), /with at most 6 tokens, got \[0, 3\]/],
    ['floats', () => tf.tensor2d([8, 9], [1, 2]), /int32.*got "type float32"/],
    ['a row without batch', () => tf.tensor1d([8, 9], 'int32'), /int32 \[batch, seq\]/],
    ['a text without end', () => text(8, 3, 11), /tokens\[0\].*end-of-text token \(9\)/],
    ['a token outside the vocabulary', () => text(8, 12, 9), /ids\[1\].*\[0, 12\)/],
  ])('refuses %s', (_, make, message) => {
    expect(() => tower.forward(make() as tf.Tensor2D)).toThrow(message);
  });

  it('leaves no tensors behind', async () => {
    const tokens = text(8, 3, 9);
    await expectNoLeak(() => tower.forward(tokens).dispose());
  });
});

describe('SiglipTextTransformer', () => {
  const tower = new SiglipTextTransformer(siglip.text, 5, { key });

  it('is read at its last place, and sees all of the text from there', async () => {
    const tokens = text(3, 4, 1, 1, 1, 1);
    const features = tower.forward(tokens);
    expect(features.shape).toEqual([1, 5]);
    expect(tower.forward(text(4, 4, 1, 1, 1, 1)).dataSync()).not.toEqual(features.dataSync());
    await expectNoLeak(() => tower.forward(tokens).dispose());
  });

  it('refuses a text that is too long', () => {
    expect(() => tower.forward(text(1, 1, 1, 1, 1, 1, 1))).toThrow(/at most 6 tokens/);
  });
});
