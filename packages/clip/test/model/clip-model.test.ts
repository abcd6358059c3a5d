import { expectNoLeak, hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { type ClipConfig, ClipModel } from '../../src';

const config: ClipConfig = {
  image: { imageSize: 8, patchSize: 4, dim: 8, layers: 2, heads: 2 },
  text: { vocabSize: 12, contextLength: 6, dim: 6, layers: 2, heads: 2 },
  embedDim: 5,
};
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

describe('ClipModel', () => {
  it('gives embeddings of length 1, and the inverse temperature', async () => {
    const model = new ClipModel(config, { seed: 1 });
    const { image, text, logitScale, logitBias } = model.forward(pixels(), tokens());
    expect(image.shape).toEqual([2, 5]);
    expect(tf.norm(image, 2, 1)).toBeAllClose([1, 1], 1e-5);
    expect(tf.norm(text, 2, 1)).toBeAllClose([1, 1], 1e-5);
    expect((await logitScale.data())[0]).toBeCloseTo(1 / 0.07, 4);
    expect(logitBias).toBeUndefined();
  });

  it("has open_clip's names", () => {
    const names = Object.keys(new ClipModel(config, { seed: 1 }).namedParameters());
    expect(names).toContain('visual.transformer.resblocks.1.mlp.c_fc.weight');
    expect(names).toContain('transformer.resblocks.0.attn.in_proj_weight');
    expect(names).toContain('text_projection');
    expect(names.length).toBe(1 + 8 + 24 + 5 + 24);
  });

  it('says which text has no end token', () => {
    const model = new ClipModel(config, { seed: 1 });
    const bad = tf.tensor2d(
      [
        [10, 11],
        [10, 3],
      ],
      [2, 2],
      'int32',
    );
    expect(() => model.encodeText(bad)).toThrow(/tokens\[1\].*end-of-text token \(11\)/);
  });

  it('leaves no tensors behind', async () => {
    const model = new ClipModel(config, { seed: 1 });
    const [x, t] = [pixels(), tokens()];
    await expectNoLeak(() => tf.dispose(Object.values(model.forward(x, t))));
  });
});
