import { FileFormatError } from '@poiesis/core';
import { describe, expect, it } from 'vitest';
import {
  type ClipConfig,
  ClipModel,
  clipConfigs,
  configDifferences,
  huggingFaceConfig,
  loadClipCheckpoint,
  openClipConfig,
  parseHuggingFaceConfig,
  parseOpenClipConfig,
  readClipCheckpoint,
  resolveConfig,
} from '../../src';
import { cases, pixelsOf, stateOf } from './foreign';

const tiny: ClipConfig = {
  image: { imageSize: [16, 8], patchSize: 4, dim: 12, layers: 2, heads: 3, hidden: 31 },
  text: { vocabSize: 40, contextLength: 8, dim: 8, layers: 1, heads: 2, hidden: 19, endToken: 30 },
  embedDim: 6,
};
const plain = (tower: object) => JSON.parse(JSON.stringify(tower));

describe('parseHuggingFaceConfig', () => {
  it('fills in what a file leaves out', () => {
    // All that google/siglip-base-patch16-224 says.
    const siglip = {
      model_type: 'siglip',
      text_config: { model_type: 'siglip_text_model' },
      vision_config: { model_type: 'siglip_vision_model' },
    };
    expect(resolveConfig(parseHuggingFaceConfig(siglip).config)).toEqual(
      resolveConfig(clipConfigs['ViT-B-16-SigLIP']),
    );
    const read = resolveConfig(parseHuggingFaceConfig({ model_type: 'clip' }).config);
    const b32 = resolveConfig(clipConfigs['ViT-B-32-quickgelu']);
    expect({ ...read, logitScaleInit: 0 }).toEqual({ ...b32, logitScaleInit: 0 });
  });

  it('lets text_config_dict go before text_config, defaults and all', () => {
    const { config } = parseHuggingFaceConfig({
      model_type: 'clip',
      text_config: { hidden_size: 99, hidden_act: 'gelu' },
      text_config_dict: { hidden_size: 64, num_attention_heads: 4 },
    });
    expect(config.text).toMatchObject({ dim: 64, heads: 4, activation: 'quickGelu' });
  });

  it('takes an end token of 2 for what it meant: the highest', () => {
    const read = (vocab_size: number, eos_token_id: number) =>
      parseHuggingFaceConfig({ model_type: 'clip', text_config: { vocab_size, eos_token_id } });
    expect(read(49408, 2).config.text.endToken).toBe(49407);
    expect(read(99, 2).config.text.endToken).toBe(98);
    expect(read(49410, 49407).warnings).toEqual([]);
    const added = read(49410, 2);
    expect(added.config.text.endToken).toBe(49407);
    expect(added.warnings[0]).toMatch(/2 tokens were added behind CLIP's; the end token 49407/);
  });

  it('takes each tower for itself, and oblong pictures', () => {
    const { config, warnings } = parseHuggingFaceConfig({
      model_type: 'clip',
      text_config: { hidden_act: 'gelu', attention_dropout: 0.1 },
      vision_config: { image_size: [64, 32], patch_size: [16, 16], layer_norm_eps: 1e-6 },
    });
    expect(config.image).toMatchObject({ imageSize: [64, 32], patchSize: 16, activation: 'quickGelu' });
    expect(config.image.normEps).toBe(1e-6);
    expect(config.text.activation).toBe('gelu');
    expect(warnings[0]).toMatch(/text_config\.attention_dropout is not 0/);
  });

  it.each([
    [[], /expected a record/],
    [{}, /model_type to be a string, got nothing/],
    [{ model_type: 'blip' }, /model_type to be "clip" or "siglip", got "blip"/],
    [{ model_type: 'clip', text_config: { hidden_act: 'relu' } }, /text_config\.hidden_act to be one of/],
    [{ model_type: 'clip', text_config: { hidden_size: -1 } }, /text_config\.hidden_size.*an integer ≥ 1/],
    [{ model_type: 'clip', text_config: 3 }, /text_config to be a record|a record/],
    [{ model_type: 'clip', vision_config: { num_channels: 1 } }, /vision_config\.num_channels to be 3/],
    [{ model_type: 'clip', vision_config: { patch_size: [16, 8] } }, /vision_config\.patch_size/],
    [{ model_type: 'siglip', vision_config: { vision_use_head: false } }, /vision_use_head to be true/],
    [{ model_type: 'siglip', text_config: { projection_size: 4 } }, /projection_size to be 768/],
  ])('refuses %j', (json, message) => {
    let error: unknown;
    try {
      parseHuggingFaceConfig(json, 'here/config.json');
    } catch (thrown) {
      error = thrown;
    }
    expect(FileFormatError.isInstance(error)).toBe(true);
    expect(String(error)).toMatch(message);
    expect(String(error)).toContain('here/config.json');
  });
});

describe('parseOpenClipConfig', () => {
  const base = { embed_dim: 8, vision_cfg: { width: 128 }, text_cfg: {} };
  const vision = (change: object) => ({ ...base, vision_cfg: { ...base.vision_cfg, ...change } });
  const text = (change: object) => ({ ...base, text_cfg: change });

  it('reads a whole file and its model_cfg alone', () => {
    const whole = { model_cfg: base, preprocess_cfg: { mean: [0, 0, 0] } };
    expect(parseOpenClipConfig(whole)).toEqual(parseOpenClipConfig(base));
  });

  it('heeds quick_gelu, act_kwargs and patch_dropout', () => {
    const quick = parseOpenClipConfig({ ...vision({ patch_dropout: 0.5 }), quick_gelu: true }).config;
    expect([quick.image.activation, quick.text.activation]).toEqual(['quickGelu', 'quickGelu']);
    expect(quick.image.patchDropout).toBe(0.5);
    const tanh = parseOpenClipConfig(text({ act_kwargs: { approximate: 'tanh' } })).config;
    expect([tanh.image.activation, tanh.text.activation]).toEqual(['gelu', 'geluTanh']);
  });

  it.each([
    [{ vision_cfg: {} }, /embed_dim/],
    [vision({ layers: [3, 4, 6, 3] }), /vision_cfg\.layers.*residual networks/],
    [vision({ attentional_pool: true }), /vision_cfg\.attentional_pool to be false/],
    [vision({ pool_type: 'avg' }), /vision_cfg\.pool_type to be "tok"/],
    [vision({ ls_init_value: 0.1 }), /vision_cfg\.ls_init_value to be absent/],
    [vision({ timm_model_name: 'convnext_base' }), /timm_model_name.*a SigLIP/],
    [text({ hf_model_name: 'roberta-base' }), /text_cfg\.hf_model_name to be absent/],
    [text({ pool_type: 'first' }), /text_cfg\.pool_type to be "argmax" or "eos"/],
    [text({ no_causal_mask: true }), /text_cfg\.no_causal_mask to be false/],
  ])('refuses %j', (json, message) => {
    expect(() => parseOpenClipConfig(json)).toThrow(message);
  });
});

describe('what is written is read again', () => {
  const configs: ClipConfig[] = [
    { ...tiny, activation: 'quickGelu' },
    { ...tiny, activation: 'geluTanh', text: { ...tiny.text, normEps: 1e-6 } },
    { ...tiny, text: { ...tiny.text, endToken: 39 } },
    ...Object.values(clipConfigs),
  ];

  it.each(configs)('as Hugging Face: $#', (config) => {
    const json = plain(huggingFaceConfig(config));
    const { patchDropout, ...image } = resolveConfig(config).image;
    const read = resolveConfig(parseHuggingFaceConfig(json).config);
    const wanted = resolveConfig(config);
    expect(read).toEqual({ ...wanted, image: { ...image, patchDropout: 0 } });
  });

  it.each(configs)('as open_clip: $#', (config) => {
    const image =
      config.family === 'siglip' ? { ...config.image, activation: 'gelu' as const } : config.image;
    const wanted = { ...config, image };
    expect(resolveConfig(parseOpenClipConfig(plain(openClipConfig(wanted))).config)).toEqual(
      resolveConfig(wanted),
    );
  });

  it('or refused, where the other library has no words for it', () => {
    expect(() => huggingFaceConfig({ ...tiny, logitBiasInit: 0 })).toThrow(/no bias of the logits/);
    expect(() => huggingFaceConfig({ ...tiny, text: { ...tiny.text, endToken: 2 } })).toThrow(
      /another than 2/,
    );
    const mixed = { ...tiny, text: { ...tiny.text, activation: 'quickGelu' as const } };
    expect(() => openClipConfig(mixed)).toThrow(/QuickGELU in both towers or in none/);
    expect(() => openClipConfig({ ...tiny, family: 'siglip', embedDim: 12 })).toThrow(/of one of timm's/);
  });
});

describe('loadClipCheckpoint', () => {
  const fixture = cases['Hugging Face CLIP, QuickGELU']!;
  const checkpoint = readClipCheckpoint({ config: fixture.config, state: stateOf(fixture) });

  it('warns where the model is not what its checkpoint was made with', () => {
    const heard: string[] = [];
    const onWarning = (message: string) => heard.push(message);
    const { config } = checkpoint;
    const towers = { image: { ...config.image, heads: 4 }, text: { ...config.text, endToken: 3 } };
    const odd = { ...config, image: { ...towers.image, activation: 'gelu' as const }, text: towers.text };
    loadClipCheckpoint(new ClipModel(odd, { seed: null }), checkpoint, { onWarning });
    expect(heard).toEqual([
      'the model has image.activation gelu, its checkpoint was made with quickGelu',
      'the model has image.heads 4, its checkpoint was made with 2',
      'the model has text.endToken 3, its checkpoint was made with 20',
    ]);
    expect(configDifferences(config, config)).toEqual([]);
  });

  it('says nothing where all is well, and loads', () => {
    const model = new ClipModel(checkpoint.config, { seed: null });
    const heard: string[] = [];
    loadClipCheckpoint(model, checkpoint, { onWarning: (message) => heard.push(message) });
    expect(heard).toEqual([]);
    expect(model.encodeImage(pixelsOf())).toBeAllClose(fixture.image.data, 1e-4);
  });

  it('refuses tensors of neither layout', () => {
    expect(() => readClipCheckpoint({ config: fixture.config, state: {} })).toThrow(
      /Hugging Face's names \(vision_model\.…\) or open_clip's/,
    );
  });

  it('reads a CustomTextCLIP, a bias of the logits, and tensors of old files', () => {
    const other = cases['open_clip, GELU']!;
    const renamed = Object.entries(stateOf(other)).map(([name, tensor]) => [
      name.startsWith('visual.') || name === 'logit_scale' ? name : `text.${name}`,
      tensor,
    ]);
    const state = Object.fromEntries(renamed);
    const { config } = readClipCheckpoint({
      config: other.config,
      state: { ...state, logit_bias: state.logit_scale, context_length: state.logit_scale },
    });
    expect(config.logitBiasInit).toBe(0);
  });
});
