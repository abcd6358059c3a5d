import { loadFixture } from '@poiesis/testing';
import { describe, expect, it } from 'vitest';
import { type ClipConfig, clipConfigs, parseOpenClipConfig, resolveConfig } from '../../src';

const config: ClipConfig = {
  image: { imageSize: 32, patchSize: 8, dim: 12, layers: 1, heads: 3 },
  text: { vocabSize: 50, contextLength: 9, dim: 8, layers: 1, heads: 2 },
  embedDim: 12,
};

describe('resolveConfig', () => {
  it('fills in the defaults of the family', () => {
    const clip = resolveConfig(config);
    expect(clip.image.imageSize).toEqual([32, 32]);
    expect(clip.image.hidden).toBe(48);
    expect(clip.text).toMatchObject({ activation: 'gelu', normEps: 1e-5, endToken: 49 });
    expect(clip.logitScaleInit).toBeCloseTo(2.6593, 4);
    expect(clip.logitBiasInit).toBeNull();
    const siglip = resolveConfig({ ...config, family: 'siglip' });
    expect(siglip.image).toMatchObject({ activation: 'geluTanh', normEps: 1e-6 });
    expect(siglip.logitScaleInit).toBeCloseTo(Math.log(10), 6);
    expect(siglip.logitBiasInit).toBe(-10);
  });

  it("takes CLIP's end token where tokens were added behind it", () => {
    const text = { ...config.text, vocabSize: 49500 };
    expect(resolveConfig({ ...config, text }).text.endToken).toBe(49407);
  });

  it('lets a tower have its own activation', () => {
    const { image, text } = resolveConfig({
      ...config,
      activation: 'quickGelu',
      text: { ...config.text, activation: 'gelu' },
    });
    expect([image.activation, text.activation]).toEqual(['quickGelu', 'gelu']);
  });

  it.each([
    ['imageSize', { imageSize: 30 }, /config\.image\.imageSize.*a multiple of the patch size 8, got 30/],
    ['imageSize', { imageSize: [32, 33] }, /config\.image\.imageSize.*multiple/],
    ['heads', { heads: 5 }, /config\.image\.heads.*divides the width 12, got 5/],
    ['layers', { layers: 0 }, /config\.image\.layers.*integer ≥ 1/],
    ['patchDropout', { patchDropout: 1 }, /config\.image\.patchDropout.*\[0, 1\)/],
    ['activation', { activation: 'swish' }, /config\.image\.activation/],
    ['normEps', { normEps: 0 }, /config\.image\.normEps/],
  ])('refuses a wrong %s', (_, change, message) => {
    const image = { ...config.image, ...change } as ClipConfig['image'];
    expect(() => resolveConfig({ ...config, image })).toThrow(message);
  });

  it.each([
    [{ text: { ...config.text, endToken: 50 } }, /config\.text\.endToken.*\[0, 50\)/],
    [{ family: 'blip' as 'clip' }, /config\.family/],
    [{ family: 'siglip' as const, embedDim: 10 }, /config\.image\.dim.*10, as embedDim, got 12/],
    [{ logitScaleInit: Number.NaN }, /config\.logitScaleInit/],
    [{ embedDim: 1.5 }, /config\.embedDim/],
  ])('refuses %o', (change, message) => {
    expect(() => resolveConfig({ ...config, ...change })).toThrow(message);
  });
});

describe('clipConfigs', () => {
  const theirs = loadFixture(import.meta.url, '../../fixtures/open-clip-configs.json') as Record<
    string,
    unknown
  >;

  it.each(Object.entries(theirs))('%s is that of open_clip', (name, json) => {
    const ours = resolveConfig(clipConfigs[name as keyof typeof clipConfigs]);
    const read = resolveConfig(parseOpenClipConfig(json).config);
    if (ours.family === 'clip') expect(ours).toEqual(read);
    else {
      // open_clip has the exact GELU in its first SigLIPs; the models were trained with the approximation.
      const plain = { activation: 'geluTanh' };
      expect({ ...ours, logitScaleInit: 0 }).toEqual({
        ...read,
        logitScaleInit: 0,
        image: { ...read.image, ...plain },
        text: { ...read.text, ...plain },
      });
    }
  });

  it('has all that are not ours from there', () => {
    const own = Object.keys(clipConfigs).filter((name) => !(name in theirs));
    expect(own).toEqual(['tiny-32', 'mini-64']);
    for (const name of own) resolveConfig(clipConfigs[name as keyof typeof clipConfigs]);
  });
});
