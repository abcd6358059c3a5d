import type { ResolvedClipConfig } from '../config';
import type { Correspondence } from './correspondence';

type Pair = readonly [ours: string, theirs: string];

/** Weight and bias of layers. */
const affine = (...pairs: Pair[]): Correspondence[] =>
  pairs.flatMap(([ours, theirs]) =>
    ['weight', 'bias'].map((leaf) => ({ ours: `${ours}.${leaf}`, theirs: [`${theirs}.${leaf}`] })),
  );

const same = (...pairs: Pair[]): Correspondence[] =>
  pairs.map(([ours, theirs]) => ({ ours, theirs: [theirs] }));

/** Packed projections, whose parts are layers there. */
const packed = (ours: string, theirs: readonly string[], shares?: readonly number[]): Correspondence[] =>
  ['weight', 'bias'].map((leaf) => ({
    ours: `${ours}_${leaf}`,
    theirs: theirs.map((name) => `${name}.${leaf}`),
    ...(shares && { shares }),
  }));

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Temperature and bias: scalars here, in some layouts vectors of one number. */
function scalars({ logitBiasInit }: ResolvedClipConfig, theirs: readonly number[]): Correspondence[] {
  const names = ['logit_scale', ...(logitBiasInit === null ? [] : ['logit_bias'])];
  return names.map((name) => ({ ours: name, theirs: [name], shapes: { ours: [], theirs } }));
}

/** `CLIPModel` and `SiglipModel` of Hugging Face's transformers. */
export function huggingFaceTable(config: ResolvedClipConfig): Correspondence[] {
  const blocks = (ours: string, theirs: string, layers: number) =>
    range(layers).flatMap((i) => huggingFaceBlock(`${ours}.resblocks.${i}`, `${theirs}.encoder.layers.${i}`));
  const common = [
    ...same(
      ['visual.conv1.weight', 'vision_model.embeddings.patch_embedding.weight'],
      ['visual.positional_embedding', 'vision_model.embeddings.position_embedding.weight'],
      ['token_embedding.weight', 'text_model.embeddings.token_embedding.weight'],
      ['positional_embedding', 'text_model.embeddings.position_embedding.weight'],
    ),
    ...affine(['visual.ln_post', 'vision_model.post_layernorm'], ['ln_final', 'text_model.final_layer_norm']),
    ...blocks('visual.transformer', 'vision_model', config.image.layers),
    ...blocks('transformer', 'text_model', config.text.layers),
  ];
  if (config.family === 'siglip') {
    const [ours, theirs] = ['visual.attn_pool', 'vision_model.head'];
    return [
      ...common,
      ...scalars(config, [1]),
      ...same(
        ['visual.conv1.bias', 'vision_model.embeddings.patch_embedding.bias'],
        [`${ours}.probe`, `${theirs}.probe`],
        [`${ours}.attention.in_proj_weight`, `${theirs}.attention.in_proj_weight`],
        [`${ours}.attention.in_proj_bias`, `${theirs}.attention.in_proj_bias`],
      ),
      ...affine(
        ['text_projection', 'text_model.head'],
        [`${ours}.attention.out_proj`, `${theirs}.attention.out_proj`],
        [`${ours}.layernorm`, `${theirs}.layernorm`],
        [`${ours}.mlp.fc1`, `${theirs}.mlp.fc1`],
        [`${ours}.mlp.fc2`, `${theirs}.mlp.fc2`],
      ),
    ];
  }
  return [
    ...common,
    ...scalars(config, []),
    ...same(['visual.class_embedding', 'vision_model.embeddings.class_embedding']),
    ...affine(['visual.ln_pre', 'vision_model.pre_layrnorm']), // spelled so
    { ours: 'visual.proj', theirs: ['visual_projection.weight'], transposed: true },
    { ours: 'text_projection', theirs: ['text_projection.weight'], transposed: true },
  ];
}

function huggingFaceBlock(ours: string, theirs: string): Correspondence[] {
  const projections = ['q', 'k', 'v'].map((name) => `${theirs}.self_attn.${name}_proj`);
  return [
    ...packed(`${ours}.attn.in_proj`, projections),
    ...affine(
      [`${ours}.attn.out_proj`, `${theirs}.self_attn.out_proj`],
      [`${ours}.ln_1`, `${theirs}.layer_norm1`],
      [`${ours}.ln_2`, `${theirs}.layer_norm2`],
      [`${ours}.mlp.c_fc`, `${theirs}.mlp.fc1`],
      [`${ours}.mlp.c_proj`, `${theirs}.mlp.fc2`],
    ),
  ];
}

/**
 * open_clip's `CLIP`, whose names are ours, and `CustomTextCLIP`, which has the text tower under `text.`; for SigLIP that
 * with the image tower of timm.
 */
export function openClipTable(config: ResolvedClipConfig, text: '' | 'text.' = ''): Correspondence[] {
  const siglip = config.family === 'siglip';
  const prefix = siglip ? 'text.' : text;
  const own = (name: string): Pair => [name, `${prefix}${name}`];
  const blocks = (stack: string, prefix: string, layers: number) =>
    range(layers).flatMap((i) => openClipBlock(`${stack}.resblocks.${i}`, prefix));
  const texts = [
    ...same(own('token_embedding.weight'), own('positional_embedding')),
    ...affine(own('ln_final')),
    ...blocks('transformer', prefix, config.text.layers),
  ];
  if (siglip) {
    return [...scalars(config, []), ...texts, ...affine(own('text_projection')), ...timmTable(config)];
  }
  return [
    ...scalars(config, []),
    ...texts,
    ...same(own('text_projection')),
    ...['class_embedding', 'positional_embedding', 'proj', 'conv1.weight'].flatMap((name) =>
      same([`visual.${name}`, `visual.${name}`]),
    ),
    ...affine(['visual.ln_pre', 'visual.ln_pre'], ['visual.ln_post', 'visual.ln_post']),
    ...blocks('visual.transformer', '', config.image.layers),
  ];
}

function openClipBlock(name: string, prefix: string): Correspondence[] {
  const to = (part: string): Pair => [`${name}.${part}`, `${prefix}${name}.${part}`];
  return [
    ...same(to('attn.in_proj_weight'), to('attn.in_proj_bias')),
    ...affine(to('attn.out_proj'), to('ln_1'), to('ln_2'), to('mlp.c_fc'), to('mlp.c_proj')),
  ];
}

/** timm's `VisionTransformer` with `global_pool='map'`. */
function timmTable({ image }: ResolvedClipConfig): Correspondence[] {
  const trunk = 'visual.trunk';
  const [ours, theirs] = ['visual.attn_pool', `${trunk}.attn_pool`];
  return [
    {
      ours: 'visual.positional_embedding',
      theirs: [`${trunk}.pos_embed`],
      shapes: { ours: [-1, image.dim], theirs: [1, -1, image.dim] },
    },
    ...affine(
      ['visual.conv1', `${trunk}.patch_embed.proj`],
      ['visual.ln_post', `${trunk}.norm`],
      [`${ours}.attention.out_proj`, `${theirs}.proj`],
      [`${ours}.layernorm`, `${theirs}.norm`],
      [`${ours}.mlp.fc1`, `${theirs}.mlp.fc1`],
      [`${ours}.mlp.fc2`, `${theirs}.mlp.fc2`],
    ),
    ...same([`${ours}.probe`, `${theirs}.latent`]),
    ...packed(`${ours}.attention.in_proj`, [`${theirs}.q`, `${theirs}.kv`], [1, 2]),
    ...range(image.layers).flatMap((i) => {
      const [block, other] = [`visual.transformer.resblocks.${i}`, `${trunk}.blocks.${i}`];
      return [
        ...packed(`${block}.attn.in_proj`, [`${other}.attn.qkv`]),
        ...affine(
          [`${block}.attn.out_proj`, `${other}.attn.proj`],
          [`${block}.ln_1`, `${other}.norm1`],
          [`${block}.ln_2`, `${other}.norm2`],
          [`${block}.mlp.c_fc`, `${other}.mlp.fc1`],
          [`${block}.mlp.c_proj`, `${other}.mlp.fc2`],
        ),
      ];
    }),
  ];
}
