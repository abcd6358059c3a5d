import { ArgumentError } from '@poiesis/core';
import {
  type ClipActivation,
  type ClipConfig,
  type ImageTowerConfig,
  type ResolvedClipConfig,
  resolveConfig,
} from '../config';
import { Fields } from './fields';
import { highestEnd, type ToldConfig } from './told';

// The defaults below are transformers': files leave out what equals them (SigLIP's nearly everything).

const ACTIVATIONS: Readonly<Record<string, ClipActivation>> = {
  quick_gelu: 'quickGelu',
  gelu: 'gelu',
  gelu_pytorch_tanh: 'geluTanh',
  gelu_new: 'geluTanh',
};

const NAMES: Readonly<Record<ClipActivation, string>> = {
  quickGelu: 'quick_gelu',
  gelu: 'gelu',
  geluTanh: 'gelu_pytorch_tanh',
};

/**
 * Reads the `config.json` of a `CLIPModel` or `SiglipModel` of Hugging Face's transformers.
 *
 * @param json the parsed file.
 * @throws FileFormatError for another kind of model, and for what these models cannot be.
 */
export function parseHuggingFaceConfig(json: unknown, file = 'config.json'): ToldConfig {
  const fields = new Fields(json, file);
  const type = fields.string('model_type');
  if (type !== 'clip' && type !== 'siglip') throw fields.error('model_type', '"clip" or "siglip"');
  const warnings: string[] = [];
  const config = type === 'clip' ? parseClip(fields, file, warnings) : parseSiglip(fields, file);
  for (const [name, tower] of [
    ['text_config', towerOf(fields, 'text_config', file)],
    ['vision_config', towerOf(fields, 'vision_config', file)],
  ] as const) {
    if (tower.number('attention_dropout', 0) === 0) continue;
    warnings.push(`${file}: ${name}.attention_dropout is not 0; nothing is dropped here`);
  }
  return { config, warnings };
}

function parseClip(fields: Fields, file: string, warnings: string[]): ClipConfig {
  const [image, text] = [towerOf(fields, 'vision_config', file), towerOf(fields, 'text_config', file)];
  const vocabSize = text.count('vocab_size', 49408);
  const end = text.number('eos_token_id', 49407);
  return {
    family: 'clip',
    embedDim: fields.count('projection_dim', 512),
    logitScaleInit: fields.number('logit_scale_init_value', 2.6592),
    image: {
      ...pictures(image, 32),
      ...tower(image, { dim: 768, heads: 12, hidden: 3072, activation: 'quick_gelu', eps: 1e-5 }),
    },
    text: {
      vocabSize,
      contextLength: text.count('max_position_embeddings', 77),
      ...tower(text, { dim: 512, heads: 8, hidden: 2048, activation: 'quick_gelu', eps: 1e-5 }),
      // 2 stands in the configurations of before the end token was looked for; it was the highest id then.
      endToken: end === 2 ? highestEnd(vocabSize, warnings, file) : end,
    },
  };
}

function parseSiglip(fields: Fields, file: string): ClipConfig {
  const [image, text] = [towerOf(fields, 'vision_config', file), towerOf(fields, 'text_config', file)];
  if (!image.boolean('vision_use_head', true)) throw image.error('vision_use_head', 'true');
  const defaults = { dim: 768, heads: 12, hidden: 3072, activation: 'gelu_pytorch_tanh', eps: 1e-6 };
  const dim = image.count('hidden_size', 768);
  const projection = text.count('projection_size', text.count('hidden_size', 768));
  if (projection !== dim)
    throw text.error('projection_size', `${dim}, the width of the image tower`, projection);
  return {
    family: 'siglip',
    embedDim: dim,
    image: { ...pictures(image, 16), ...tower(image, defaults) },
    text: {
      vocabSize: text.count('vocab_size', 32000),
      contextLength: text.count('max_position_embeddings', 64),
      ...tower(text, defaults),
    },
  };
}

/** A tower's record. `…_config_dict`, which old files have, goes before `…_config`, and before its defaults. */
function towerOf(fields: Fields, name: 'text_config' | 'vision_config', file: string): Fields {
  const old = `${name}_dict`;
  return fields.has(old) ? new Fields(fields.raw(old), file, old) : fields.record(name);
}

function pictures(fields: Fields, patch: number): Pick<ImageTowerConfig, 'imageSize' | 'patchSize'> {
  if (fields.count('num_channels', 3) !== 3) throw fields.error('num_channels', '3');
  const patches = fields.raw('patch_size');
  const square = Array.isArray(patches) && patches.length === 2 && patches[0] === patches[1];
  const patchSize = square ? Number(patches[0]) : fields.count('patch_size', patch);
  const size = fields.raw('image_size');
  const imageSize = Array.isArray(size) ? sides(fields, size) : fields.count('image_size', 224);
  return { imageSize, patchSize };
}

function sides(fields: Fields, size: readonly unknown[]): readonly [number, number] {
  const [height, width] = size;
  const ok = size.length === 2 && size.every((side) => Number.isInteger(side) && Number(side) >= 1);
  if (!ok) throw fields.error('image_size', 'a number, or [height, width]');
  return [Number(height), Number(width)];
}

interface TowerDefaults {
  dim: number;
  heads: number;
  hidden: number;
  activation: string;
  eps: number;
}

function tower(fields: Fields, { dim, heads, hidden, activation, eps }: TowerDefaults) {
  const name = fields.string('hidden_act', activation);
  const known = ACTIVATIONS[name];
  if (!known) throw fields.error('hidden_act', `one of ${Object.keys(ACTIVATIONS).join(', ')}`);
  return {
    dim: fields.count('hidden_size', dim),
    layers: fields.count('num_hidden_layers', 12),
    heads: fields.count('num_attention_heads', heads),
    hidden: fields.count('intermediate_size', hidden),
    activation: known,
    normEps: fields.number('layer_norm_eps', eps),
  };
}

/**
 * The `config.json` that lets Hugging Face's transformers load the model.
 * @throws ArgumentError for a CLIP with a bias of the logits, which they do not know.
 */
export function huggingFaceConfig(config: ClipConfig): Record<string, unknown> {
  const resolved = resolveConfig(config);
  const { family, text, embedDim, logitScaleInit, logitBiasInit } = resolved;
  if (family === 'siglip') return siglipJson(resolved);
  if (logitBiasInit !== null) {
    throw new ArgumentError({
      fn: 'huggingFaceConfig',
      argument: 'config.logitBiasInit',
      expected: "none: Hugging Face's CLIPModel has no bias of the logits (open_clip's has)",
      received: logitBiasInit,
    });
  }
  if (text.endToken === 2 && text.vocabSize !== 3) {
    throw new ArgumentError({
      fn: 'huggingFaceConfig',
      argument: 'config.text.endToken',
      expected: "another than 2, which Hugging Face's CLIPModel takes for the highest token",
      received: 2,
    });
  }
  return {
    architectures: ['CLIPModel'],
    model_type: 'clip',
    projection_dim: embedDim,
    logit_scale_init_value: logitScaleInit,
    torch_dtype: 'float32',
    text_config: {
      ...towerJson(text),
      model_type: 'clip_text_model',
      projection_dim: embedDim,
      vocab_size: text.vocabSize,
      max_position_embeddings: text.contextLength,
      bos_token_id: Math.max(text.endToken - 1, 0),
      eos_token_id: text.endToken,
      pad_token_id: text.endToken,
    },
    vision_config: { ...pictureJson(resolved), model_type: 'clip_vision_model', projection_dim: embedDim },
  };
}

function siglipJson(config: ResolvedClipConfig): Record<string, unknown> {
  const { text, embedDim } = config;
  return {
    architectures: ['SiglipModel'],
    model_type: 'siglip',
    torch_dtype: 'float32',
    text_config: {
      ...towerJson(text),
      model_type: 'siglip_text_model',
      projection_size: embedDim,
      vocab_size: text.vocabSize,
      max_position_embeddings: text.contextLength,
    },
    vision_config: { ...pictureJson(config), model_type: 'siglip_vision_model' },
  };
}

function towerJson(tower: ResolvedClipConfig['image' | 'text']): Record<string, unknown> {
  return {
    hidden_size: tower.dim,
    intermediate_size: tower.hidden,
    num_hidden_layers: tower.layers,
    num_attention_heads: tower.heads,
    hidden_act: NAMES[tower.activation],
    layer_norm_eps: tower.normEps,
    attention_dropout: 0,
  };
}

function pictureJson({ image }: ResolvedClipConfig): Record<string, unknown> {
  const [height, width] = image.imageSize;
  return {
    ...towerJson(image),
    num_channels: 3,
    image_size: height === width ? height : [height, width],
    patch_size: image.patchSize,
  };
}
