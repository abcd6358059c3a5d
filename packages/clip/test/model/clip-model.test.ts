import { ArgumentError, adam, randomKey, valueAndGrad } from '@poiesis/core';
import { expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { type ClipConfig, ClipModel, infoNCE, l2Normalize, resizeImageState, withImageSize } from '../../src';

const config: ClipConfig = {
  image: { imageSize: 8, patchSize: 4, dim: 8, layers: 2, heads: 2 },
  text: { vocabSize: 12, contextLength: 6, dim: 6, layers: 2, heads: 2 },
  embedDim: 8,
};
const siglip: ClipConfig = { ...config, family: 'siglip' };
const pixels = () => hashed([2, 8, 8, 3], 1) as tf.Tensor4D;
const tokens = () =>
  tf.tensor2d(
    [
      [10, 1, 2, 11, 0, 0],
      [10, 3, 11, 0, 0, 0],
    ],
    [2, 6],
    'int32',
  );

describe.each([
  ['CLIP', config, 1 / 0.07],
  ['SigLIP', siglip, 10],
] as const)('a %s', (_, config, scale) => {
  it('gives embeddings of length 1, and the inverse temperature', () => {
    const model = new ClipModel(config, { seed: 1 });
    const { image, text, logitScale, logitBias } = model.forward(pixels(), tokens());
    expect(image.shape).toEqual([2, 8]);
    expect(tf.norm(image, 2, 1)).toBeAllClose([1, 1], 1e-5);
    expect(tf.norm(text, 2, 1)).toBeAllClose([1, 1], 1e-5);
    expect(logitScale.dataSync()[0]).toBeCloseTo(scale, 4);
    expect(logitBias?.dataSync()[0]).toBe(config.family === 'siglip' ? -10 : undefined);
    expect(image).toBeAllClose(l2Normalize(model.encodeImage(pixels())), 1e-6);
    expect(text).toBeAllClose(l2Normalize(model.encodeText(tokens())), 1e-6);
  });

  it('is decided by its seed', () => {
    const text = (seed: number) => new ClipModel(config, { seed }).encodeText(tokens()).dataSync();
    expect(text(1)).toEqual(text(1));
    expect(text(1)).not.toEqual(text(2));
  });

  it('draws no weights for those that will be loaded', async () => {
    const [full, empty] = [new ClipModel(config, { seed: 1 }), new ClipModel(config, { seed: null })];
    expect(Object.keys(empty.namedParameters())).toEqual(Object.keys(full.namedParameters()));
    for (const [name, p] of Object.entries(empty.namedParameters())) {
      if (p.rank >= 2) expect(tf.max(tf.abs(p)).dataSync()[0], name).toBe(0);
    }
    empty.loadStateDict(await full.stateDict());
    expect(empty.encodeImage(pixels())).toBeAllClose(full.encodeImage(pixels()), 1e-7);
  });

  it('leaves no tensors behind, and none at all once it is disposed', async () => {
    const [x, t] = [pixels(), tokens()];
    const before = tf.memory().numTensors;
    const model = new ClipModel(config, { seed: 1 });
    await expectNoLeak(() => tf.dispose(Object.values(model.forward(x, t))));
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('has its towers at hand, to freeze one', () => {
    const model = new ClipModel(config, { seed: 1 });
    model.visual.freeze();
    const names = Object.keys(model.trainableParameters());
    expect(names.some((name) => name.startsWith('visual.'))).toBe(false);
    expect(names).toContain('transformer.resblocks.0.attn.in_proj_weight');
    model.unfreeze().text.freeze();
    const rest = Object.keys(model.trainableParameters()).filter((name) => !name.startsWith('visual.'));
    expect(rest).toEqual(config.family === 'siglip' ? ['logit_scale', 'logit_bias'] : ['logit_scale']);
  });

  it('takes the weights of a model for pictures of another size', async () => {
    const large = withImageSize(config, [12, 16]);
    const [from, to] = [new ClipModel(config, { seed: 1 }), new ClipModel(large, { seed: null })];
    to.loadStateDict(resizeImageState(await from.stateDict(), config, large));
    expect(to.encodeText(tokens())).toBeAllClose(from.encodeText(tokens()), 1e-7);
    expect(to.encodeImage(tf.ones([1, 12, 16, 3])).shape).toEqual([1, 8]);
    await expect(async () => to.loadStateDict(await from.stateDict())).rejects.toThrow(
      /visual\.positional_embedding: expected \[1[23], 8\]/,
    );
  });
});

describe('ClipModel', () => {
  it("has open_clip's names", () => {
    const names = Object.keys(new ClipModel(config, { seed: 1 }).namedParameters());
    expect(names).toContain('visual.transformer.resblocks.1.mlp.c_fc.weight');
    expect(names).toContain('transformer.resblocks.0.attn.in_proj_weight');
    expect(names).toContain('text_projection');
    expect(names.length).toBe(1 + 8 + 24 + 5 + 24);
  });

  it('has a bias of its logits on request', () => {
    const model = new ClipModel({ ...config, logitBiasInit: -3 }, { seed: 1 });
    expect(model.forward(pixels(), tokens()).logitBias?.dataSync()[0]).toBe(-3);
    expect(model.logitBias).toBe(model.namedParameters().logit_bias);
  });

  it('learns which text belongs to which picture, with patches left out', () => {
    const image = { ...config.image, patchDropout: 0.25 };
    const model = new ClipModel({ ...config, image }, { seed: 1 });
    const [x, t, optimizer] = [pixels(), tokens(), adam({ lr: 3e-3 })];
    const losses = Array.from({ length: 30 }, (_, i) => {
      const parameters = model.trainableParameters();
      const { value, grads } = valueAndGrad(() => {
        const { image, text, logitScale } = model.forward(x, t, { key: randomKey(i) });
        return infoNCE(image, text, logitScale);
      }, parameters);
      optimizer.step(parameters, grads);
      const loss = (value as tf.Scalar).dataSync()[0]!;
      tf.dispose([value, grads] as tf.TensorContainer);
      return loss;
    });
    expect(losses[0]).toBeGreaterThan(0.3);
    expect(losses.at(-1)).toBeLessThan(0.02);
  });

  it('agrees with finite differences, through both towers and the loss', () => {
    const model = new ClipModel(config, { seed: 2 });
    const [x, t] = [pixels(), tokens()];
    const names = ['logit_scale', 'visual.ln_pre.bias', 'ln_final.weight', 'visual.class_embedding'];
    const all = model.namedParameters();
    const some = Object.fromEntries(names.map((name) => [name, all[name]!]));
    const loss = () => {
      const { image, text, logitScale } = model.forward(x, t);
      return infoNCE(image, text, logitScale);
    };
    const { grads } = valueAndGrad(loss, some);
    for (const [name, p] of Object.entries(some)) {
      const values = Float32Array.from(p.dataSync());
      const at = (i: number, delta: number) =>
        tf.tidy(() => {
          p.assign(
            tf.tensor(values.map((value, j) => (j === i ? value + delta : value)) as Float32Array, p.shape),
          );
          return loss().dataSync()[0]!;
        });
      const numeric = Array.from(values, (_, i) => (at(i, 1e-2) - at(i, -1e-2)) / 2e-2);
      at(0, 0);
      expect(grads[name]!, name).toBeAllClose(numeric, 3e-2);
    }
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 100])('refuses a temperature of exp(%f)', (value) => {
    const model = new ClipModel(config, { seed: 1 });
    tf.tidy(() => model.logitScale.assign(tf.scalar(value)));
    let error: unknown;
    try {
      model.forward(pixels(), tokens());
    } catch (thrown) {
      error = thrown;
    }
    expect(ArgumentError.isInstance(error)).toBe(true);
    expect(String(error)).toMatch(/ClipModel\.forward\(logit_scale\): expected a finite logarithm/);
  });

  it.each([
    ['pictures of another size', () => [tf.zeros([2, 8, 12, 3]), tokens()], /\(pixels\)/],
    ['one picture', () => [tf.zeros([8, 8, 3]), tokens()], /\(pixels\)/],
    ['a text that is too long', () => [pixels(), tf.fill([2, 7], 11, 'int32')], /\(tokens\).*at most 6/],
    ['a text without end', () => [pixels(), tf.zeros([2, 3], 'int32')], /tokens\[0\].*end-of-text/],
  ] as const)('refuses %s', (_, make, message) => {
    const model = new ClipModel(config, { seed: 1 });
    const [x, t] = make();
    expect(() => model.forward(x as tf.Tensor4D, t as tf.Tensor2D)).toThrow(message);
  });
});

describe('l2Normalize', () => {
  it('gives rows of length 1, and 0 for 0, in the gradient too', () => {
    const x = tf.tensor2d([3, 4, 0, 0], [2, 2]);
    expect(l2Normalize(x)).toBeAllClose([0.6, 0.8, 0, 0], 1e-6);
    const gradient = tf.grad((x) => tf.sum(l2Normalize(x as tf.Tensor2D)))(x);
    expect([...gradient.dataSync()].every(Number.isFinite)).toBe(true);
  });
});
