import type { ClipConfig } from './config';

/** CLIP's vocabulary and context. */
const TEXT = { vocabSize: 49408, contextLength: 77 };
const SMALL = { dim: 512, layers: 12, heads: 8, ...TEXT };
const BASE = { imageSize: 224, dim: 768, layers: 12, heads: 12 };
const LARGE = { imageSize: 224, dim: 1024, layers: 24, heads: 16, patchSize: 14 };

const b32: ClipConfig = { image: { ...BASE, patchSize: 32 }, text: SMALL, embedDim: 512 };
const b16: ClipConfig = { image: { ...BASE, patchSize: 16 }, text: SMALL, embedDim: 512 };
const l14: ClipConfig = {
  image: LARGE,
  text: { dim: 768, layers: 12, heads: 12, ...TEXT },
  embedDim: 768,
};
const l14at336: ClipConfig = { ...l14, image: { ...LARGE, imageSize: 336 } };

/** OpenAI's released weights were trained with this approximation; with `gelu` they are a little off. */
const quick = (config: ClipConfig): ClipConfig => ({ ...config, activation: 'quickGelu' });

const small = (patchSize: number): ClipConfig => ({
  image: { imageSize: 224, patchSize, dim: 384, layers: 12, heads: 6 },
  text: { dim: 384, layers: 12, heads: 6, ...TEXT },
  embedDim: 384,
});

const siglip = (
  image: Omit<ClipConfig['image'], 'imageSize'>,
  imageSize: number,
  contextLength = 64,
): ClipConfig => {
  const { dim, layers, heads, hidden } = image;
  return {
    family: 'siglip',
    image: { ...image, imageSize },
    text: { vocabSize: 32000, contextLength, dim, layers, heads, ...(hidden && { hidden }) },
    embedDim: dim,
  };
};

const SIGLIP_BASE = { patchSize: 16, dim: 768, layers: 12, heads: 12 };
const SIGLIP_LARGE = { patchSize: 16, dim: 1024, layers: 24, heads: 16 };
const SO400M = { patchSize: 14, dim: 1152, layers: 27, heads: 16, hidden: 4304 };

/**
 * Configurations by open_clip's names, and two of our own for machines and pictures that are small. `-quickgelu` is
 * what OpenAI's own weights need.
 */
export const clipConfigs = {
  'ViT-B-32': b32,
  'ViT-B-32-quickgelu': quick(b32),
  'ViT-B-16': b16,
  'ViT-B-16-quickgelu': quick(b16),
  'ViT-L-14': l14,
  'ViT-L-14-quickgelu': quick(l14),
  'ViT-L-14-336': l14at336,
  'ViT-L-14-336-quickgelu': quick(l14at336),
  'ViT-S-32': small(32),
  'ViT-S-16': small(16),
  'ViT-H-14': {
    image: { imageSize: 224, patchSize: 14, dim: 1280, layers: 32, heads: 16 },
    text: { dim: 1024, layers: 24, heads: 16, ...TEXT },
    embedDim: 1024,
  },
  'ViT-B-16-SigLIP': siglip(SIGLIP_BASE, 224),
  'ViT-B-16-SigLIP-256': siglip(SIGLIP_BASE, 256),
  'ViT-B-16-SigLIP-384': siglip(SIGLIP_BASE, 384),
  'ViT-B-16-SigLIP-512': siglip(SIGLIP_BASE, 512),
  'ViT-L-16-SigLIP-256': siglip(SIGLIP_LARGE, 256),
  'ViT-L-16-SigLIP-384': siglip(SIGLIP_LARGE, 384),
  'ViT-SO400M-14-SigLIP': siglip(SO400M, 224, 16),
  'ViT-SO400M-14-SigLIP-384': siglip(SO400M, 384),
  /** 0.2 million parameters beside the vocabulary's: for tests and toys. */
  'tiny-32': {
    image: { imageSize: 32, patchSize: 8, dim: 64, layers: 2, heads: 2 },
    text: { ...TEXT, contextLength: 32, dim: 64, layers: 2, heads: 2 },
    embedDim: 64,
  },
  /** 3.6 million parameters beside the vocabulary's: trains on a CPU. */
  'mini-64': {
    image: { imageSize: 64, patchSize: 8, dim: 192, layers: 6, heads: 3 },
    text: { ...TEXT, contextLength: 32, dim: 128, layers: 4, heads: 2 },
    embedDim: 128,
  },
} as const satisfies Readonly<Record<string, ClipConfig>>;
