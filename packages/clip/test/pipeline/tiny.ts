import type { HostImage } from '@poiesis/core';
import { hashedValues } from '@poiesis/testing';
import {
  CLIP,
  type ClipConfig,
  ClipModel,
  type ClipParts,
  clipPreprocessing,
  siglipPreprocessing,
  WordTokenizer,
} from '../../src';

const WORDS = 'a photo of the cat dog bird fish drawing two small . ,';

/** A pipeline with random weights. */
export function tiny(family: 'clip' | 'siglip' = 'clip', more: Partial<ClipParts> = {}): CLIP {
  const tokenizer = WordTokenizer.of([WORDS], { contextLength: 40 });
  const tower = { dim: 16, layers: 1, heads: 2 };
  const config: ClipConfig = {
    family,
    image: { ...tower, imageSize: 16, patchSize: 8 },
    text: {
      ...tower,
      vocabSize: tokenizer.vocabSize,
      contextLength: 40,
      ...(family === 'clip' && { endToken: tokenizer.endToken }),
    },
    embedDim: 16,
  };
  const preprocessing = family === 'clip' ? clipPreprocessing(16) : siglipPreprocessing(16);
  return new CLIP({ model: new ClipModel(config, { seed: 1 }), tokenizer, preprocessing, ...more });
}

export function picture(seed: number, width = 20, height = 17): HostImage {
  const data = Uint8Array.from(hashedValues([width * height * 3], seed), (x) => 128 + 127 * x);
  return { data, width, height, channels: 3 };
}

export function pictures(count: number): HostImage[] {
  return Array.from({ length: count }, (_, i) => picture(i + 1, 20 + i, 17));
}
