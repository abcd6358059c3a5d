import { ArgumentError } from '@poiesis/core';
import {
  type ClipActivation,
  type ClipConfig,
  type ResolvedClipConfig,
  type ResolvedTextTower,
  resolveConfig,
} from '../config';
import { Fields } from './fields';
import { timmName, timmVit } from './timm';
import { highestEnd, type ToldConfig } from './told';

/**
 * Reads a configuration of open_clip: an `open_clip_config.json`, or its `model_cfg` alone, as in open_clip's own folder
 * of configurations. Vision Transformers with CLIP's text tower, and SigLIP's models.
 *
 * @param json the parsed file.
 * @throws FileFormatError for other towers, and for options that change what a tower computes.
 */
export function parseOpenClipConfig(json: unknown, file = 'open_clip_config.json'): ToldConfig {
  const whole = new Fields(json, file);
  const model = whole.has('model_cfg') ? whole.record('model_cfg') : whole;
  const [image, text] = [model.record('vision_cfg'), model.record('text_cfg')];
  const warnings: string[] = [];
  const timm = image.has('timm_model_name');
  const quick = model.boolean('quick_gelu', false);
  const shared = {
    embedDim: model.count('embed_dim'),
    ...(model.has('init_logit_scale') && { logitScaleInit: model.number('init_logit_scale') }),
    ...(model.has('init_logit_bias') && { logitBiasInit: model.number('init_logit_bias') }),
  };
  refuse(text, TEXT_OPTIONS);
  const pool = text.string('pool_type', 'argmax');
  if (timm) return { config: { ...shared, ...parseSiglip(image, text, quick) }, warnings };
  if (Array.isArray(image.raw('layers')))
    throw image.error('layers', 'a number: residual networks are not read');
  refuse(image, IMAGE_OPTIONS);
  if (text.boolean('no_causal_mask', false)) throw text.error('no_causal_mask', 'false');
  if (text.boolean('proj_bias', false)) throw text.error('proj_bias', 'false');
  if (pool !== 'argmax' && pool !== 'eos') throw text.error('pool_type', '"argmax" or "eos"');
  const width = image.count('width', 768);
  const vocabSize = text.count('vocab_size', 49408);
  const config: ClipConfig = {
    family: 'clip',
    ...shared,
    image: {
      imageSize: sidesOf(image),
      patchSize: image.count('patch_size', 16),
      dim: width,
      layers: image.count('layers', 12),
      heads: Math.floor(width / image.count('head_width', 64)),
      hidden: Math.trunc(width * image.number('mlp_ratio', 4)),
      activation: activationOf(image, quick),
      normEps: epsOf(image, 1e-5),
      patchDropout: image.number('patch_dropout', 0),
    },
    text: {
      ...textTower(text, quick),
      endToken: pool === 'eos' ? text.number('eos_id', 2) : highestEnd(vocabSize, warnings, file),
    },
  };
  return { config, warnings };
}

/** Options that must stand at what the model of this package computes. */
const IMAGE_OPTIONS: Readonly<Record<string, readonly unknown[]>> = {
  ls_init_value: [],
  attentional_pool: [false],
  no_ln_pre: [false],
  pos_embed_type: ['learnable'],
  pool_type: ['tok'],
  block_type: ['default'],
  qk_norm: [false],
  scaled_cosine_attn: [false],
  scale_heads: [false],
  scale_attn_inner: [false],
  scale_attn: [false],
  scale_fc: [false],
};

const TEXT_OPTIONS: Readonly<Record<string, readonly unknown[]>> = {
  hf_model_name: [],
  ls_init_value: [],
  embed_cls: [false],
  proj_type: ['linear'],
  block_type: ['default'],
  qk_norm: [false],
  scaled_cosine_attn: [false],
  scale_heads: [false],
  scale_attn_inner: [false],
  scale_attn: [false],
  scale_fc: [false],
};

function refuse(fields: Fields, options: Readonly<Record<string, readonly unknown[]>>): void {
  for (const [name, allowed] of Object.entries(options)) {
    if (!fields.has(name) || allowed.includes(fields.raw(name))) continue;
    const expected = allowed.length > 0 ? JSON.stringify(allowed[0]) : 'absent';
    throw fields.error(name, `${expected}: other towers are not read`);
  }
}

function parseSiglip(image: Fields, text: Fields, quick: boolean): Omit<ClipConfig, 'embedDim'> {
  const vit = timmVit(image.string('timm_model_name'));
  if (!vit) throw image.error('timm_model_name', 'a SigLIP, vit_…_patch…_siglip_…: others are not read');
  if (image.string('timm_pool', 'avg') !== 'map') throw image.error('timm_pool', '"map"');
  const projection = image.string('timm_proj', 'linear');
  if (projection !== 'none' && projection !== '') throw image.error('timm_proj', '"none"');
  if (!text.boolean('no_causal_mask', false)) throw text.error('no_causal_mask', 'true');
  if (!text.boolean('proj_bias', false)) throw text.error('proj_bias', 'true');
  if (text.string('pool_type', 'argmax') !== 'last') throw text.error('pool_type', '"last"');
  const { exact, ...sizes } = vit;
  return {
    family: 'siglip',
    image: {
      ...sizes,
      imageSize: sidesOf(image),
      activation: exact ? 'gelu' : 'geluTanh',
      normEps: 1e-6,
      patchDropout: image.number('patch_dropout', 0),
    },
    text: textTower(text, quick),
  };
}

function textTower(text: Fields, quick: boolean): ClipConfig['text'] {
  const width = text.count('width', 512);
  return {
    vocabSize: text.count('vocab_size', 49408),
    contextLength: text.count('context_length', 77),
    dim: width,
    layers: text.count('layers', 12),
    heads: text.count('heads', 8),
    hidden: Math.trunc(width * text.number('mlp_ratio', 4)),
    activation: activationOf(text, quick),
    normEps: epsOf(text, 1e-5),
  };
}

function activationOf(fields: Fields, quick: boolean): ClipActivation {
  const approximate = fields.record('act_kwargs').string('approximate', 'none');
  if (approximate !== 'none' && approximate !== 'tanh') throw fields.error('act_kwargs', '"none" or "tanh"');
  if (quick) return 'quickGelu';
  return approximate === 'tanh' ? 'geluTanh' : 'gelu';
}

function epsOf(fields: Fields, fallback: number): number {
  return fields.record('norm_kwargs').number('eps', fallback);
}

function sidesOf(image: Fields): ClipConfig['image']['imageSize'] {
  const size = image.raw('image_size');
  if (!Array.isArray(size)) return image.count('image_size', 224);
  const ok = size.length === 2 && size.every((side) => Number.isInteger(side) && Number(side) >= 1);
  if (!ok) throw image.error('image_size', 'a number, or [height, width]');
  return [Number(size[0]), Number(size[1])];
}

/**
 * The `model_cfg` that lets open_clip build the model.
 * @throws ArgumentError where open_clip cannot express it.
 */
export function openClipConfig(config: ClipConfig): Record<string, unknown> {
  const resolved = resolveConfig(config);
  const { family, image, text, embedDim, logitScaleInit, logitBiasInit } = resolved;
  const quick = quickGelu(resolved);
  const [height, width] = image.imageSize;
  const imageSize = height === width ? height : [height, width];
  const dropout = image.patchDropout > 0 ? { patch_dropout: image.patchDropout } : {};
  const shared = {
    embed_dim: embedDim,
    ...(quick && { quick_gelu: true }),
    init_logit_scale: logitScaleInit,
    ...(logitBiasInit !== null && { init_logit_bias: logitBiasInit }),
  };
  if (family === 'siglip') {
    const name = timmName(image);
    if (!name) throw inexpressible('config.image', TIMM, `${image.dim} wide, ${image.activation}`);
    return {
      ...shared,
      custom_text: true,
      vision_cfg: {
        image_size: imageSize,
        timm_model_name: name,
        timm_model_pretrained: false,
        timm_pool: 'map',
        timm_proj: 'none',
        ...dropout,
      },
      text_cfg: { ...textJson(text), no_causal_mask: true, proj_bias: true, pool_type: 'last' },
    };
  }
  // The highest id, as long as that is the end token: what open_clip's own configurations leave out.
  const highest = text.endToken === text.vocabSize - 1;
  return {
    ...shared,
    vision_cfg: {
      image_size: imageSize,
      layers: image.layers,
      width: image.dim,
      head_width: image.dim / image.heads,
      mlp_ratio: ratio(image.dim, image.hidden),
      patch_size: image.patchSize,
      ...dropout,
      ...parts(image),
    },
    text_cfg: { ...textJson(text), ...(highest ? {} : { pool_type: 'eos', eos_id: text.endToken }) },
  };
}

function textJson(text: ResolvedTextTower): Record<string, unknown> {
  return {
    context_length: text.contextLength,
    vocab_size: text.vocabSize,
    width: text.dim,
    heads: text.heads,
    layers: text.layers,
    mlp_ratio: ratio(text.dim, text.hidden),
    ...parts(text),
  };
}

function parts({ activation, normEps }: ResolvedClipConfig['image' | 'text']): Record<string, unknown> {
  return {
    ...(activation === 'geluTanh' && { act_kwargs: { approximate: 'tanh' } }),
    ...(normEps !== 1e-5 && { norm_kwargs: { eps: normEps } }),
  };
}

/** open_clip has one flag for both towers; those of timm do not heed it. */
function quickGelu({ family, image, text }: ResolvedClipConfig): boolean {
  const quick = text.activation === 'quickGelu';
  const other = image.activation === 'quickGelu';
  const fits = family === 'siglip' ? !other : quick === other;
  if (!fits)
    throw inexpressible('config.activation', 'QuickGELU in both towers or in none', image.activation);
  return quick;
}

const TIMM = "sizes, picture size and activation of one of timm's vit_…_siglip_…";

/** A ratio that open_clip's `int(width * ratio)` makes `hidden` of. */
function ratio(dim: number, hidden: number): number {
  const exact = hidden / dim;
  return Math.trunc(dim * exact) === hidden ? exact : (hidden + 0.5) / dim;
}

function inexpressible(argument: string, expected: string, received: unknown): ArgumentError {
  return new ArgumentError({ fn: 'openClipConfig', argument, expected, received });
}
