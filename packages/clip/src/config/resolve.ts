import { checkArgument } from '@poiesis/core';
import type { ClipActivation, ClipConfig, ImageTowerConfig, TextTowerConfig, TowerConfig } from './config';

type Filled<T extends TowerConfig> = T & Required<TowerConfig>;

/** An image tower with its defaults filled in. */
export type ResolvedImageTower = Filled<Omit<ImageTowerConfig, 'imageSize'>> & {
  readonly imageSize: readonly [height: number, width: number];
  readonly patchDropout: number;
};

/** A text tower with its defaults filled in. */
export type ResolvedTextTower = Filled<TextTowerConfig> & { readonly endToken: number };

/** A configuration with its defaults filled in, and checked. */
export interface ResolvedClipConfig {
  readonly family: 'clip' | 'siglip';
  readonly image: ResolvedImageTower;
  readonly text: ResolvedTextTower;
  readonly embedDim: number;
  readonly logitScaleInit: number;
  readonly logitBiasInit: number | null;
}

/**
 * Checks a configuration and fills in its defaults.
 * @throws ArgumentError that names the field.
 */
export function resolveConfig(config: ClipConfig): ResolvedClipConfig {
  checkArgument(typeof config === 'object' && config !== null, FN, 'config', 'a record', config);
  const { family = 'clip', embedDim, logitScaleInit, logitBiasInit } = config;
  checkArgument(family === 'clip' || family === 'siglip', FN, 'config.family', "'clip' or 'siglip'", family);
  const siglip = family === 'siglip';
  const activation = config.activation ?? (siglip ? 'geluTanh' : 'gelu');
  const normEps = siglip ? 1e-6 : 1e-5;
  checkCount('embedDim', embedDim);
  const image = imageTower({ activation, normEps, ...config.image }, siglip);
  if (siglip) {
    const { dim } = image; // SigLIP has no projection of pictures.
    checkArgument(dim === embedDim, FN, 'config.image.dim', `${embedDim}, as embedDim`, dim);
  }
  const scale = logitScaleInit ?? Math.log(siglip ? 10 : 1 / 0.07);
  const bias = logitBiasInit ?? (siglip ? -10 : null);
  checkArgument(Number.isFinite(scale), FN, 'config.logitScaleInit', 'a number', scale);
  checkArgument(bias === null || Number.isFinite(bias), FN, 'config.logitBiasInit', 'a number', bias);
  return {
    family,
    embedDim,
    image,
    text: textTower({ activation, normEps, ...config.text }),
    logitScaleInit: scale,
    logitBiasInit: bias,
  };
}

const FN = 'ClipConfig';

/** The last id of CLIP's own vocabulary. */
const CLIP_END = 49407;

type Defaults = { activation: ClipActivation; normEps: number };

function imageTower(config: ImageTowerConfig & Defaults, siglip: boolean): ResolvedImageTower {
  const { imageSize, patchSize, patchDropout = 0 } = config;
  const tower = checkTower('image', config);
  checkCount('image.patchSize', patchSize);
  const size = typeof imageSize === 'number' ? ([imageSize, imageSize] as const) : imageSize;
  const sides = Array.isArray(size) && size.length === 2;
  checkArgument(sides, FN, 'config.image.imageSize', 'a number, or [height, width]', imageSize);
  for (const side of size) {
    checkCount('image.imageSize', side);
    // A released SigLIP has 384 pixels and patches of 14; what is left over at the edges is not seen.
    const whole = side % patchSize === 0 || (siglip && side > patchSize);
    checkArgument(whole, FN, 'config.image.imageSize', `a multiple of the patch size ${patchSize}`, side);
  }
  const rate = patchDropout >= 0 && patchDropout < 1;
  checkArgument(rate, FN, 'config.image.patchDropout', 'a rate in [0, 1)', patchDropout);
  return { ...config, ...tower, imageSize: [size[0], size[1]], patchDropout };
}

function textTower(config: TextTowerConfig & Defaults): ResolvedTextTower {
  const { vocabSize, contextLength } = config;
  const tower = checkTower('text', config);
  checkCount('text.vocabSize', vocabSize);
  checkCount('text.contextLength', contextLength);
  const { endToken = Math.min(vocabSize - 1, CLIP_END) } = config;
  const inside = Number.isInteger(endToken) && endToken >= 0 && endToken < vocabSize;
  checkArgument(inside, FN, 'config.text.endToken', `a token in [0, ${vocabSize})`, endToken);
  return { ...config, ...tower, endToken };
}

function checkTower(name: 'image' | 'text', config: TowerConfig & Defaults): Required<TowerConfig> {
  const { dim, layers, heads, hidden = 4 * dim, activation, normEps } = config;
  for (const [field, value] of Object.entries({ dim, layers, heads, hidden })) {
    checkCount(`${name}.${field}`, value);
  }
  const divides = dim % heads === 0;
  checkArgument(divides, FN, `config.${name}.heads`, `a number that divides the width ${dim}`, heads);
  const known = activation === 'gelu' || activation === 'quickGelu' || activation === 'geluTanh';
  const names = "'gelu', 'quickGelu' or 'geluTanh'";
  checkArgument(known, FN, `config.${name}.activation`, names, activation);
  checkArgument(normEps > 0, FN, `config.${name}.normEps`, 'a number above 0', normEps);
  return { dim, layers, heads, hidden, activation, normEps };
}

function checkCount(name: string, value: number): void {
  const ok = Number.isInteger(value) && value >= 1;
  checkArgument(ok, FN, `config.${name}`, 'an integer ≥ 1', value);
}
