import { type Key, randomKey } from '@poiesis/core';
import type { ResolvedClipConfig } from '../config';
import {
  type ImageTower,
  SiglipTextTransformer,
  SiglipVisionTransformer,
  type TextTower,
  TextTransformer,
  VisionTransformer,
} from '../towers';
import { emptyInit } from '../towers/init';

/** The towers of a family; without a key, with zeros for weights. */
export function buildTowers(
  { family, image, text, embedDim }: ResolvedClipConfig,
  key: Key | null,
): { image: ImageTower; text: TextTower } {
  const [forImage, forText] = (key ?? randomKey(0)).split(2) as [Key, Key];
  const init = key ? undefined : emptyInit;
  if (family === 'siglip') {
    return {
      image: new SiglipVisionTransformer(image, { key: forImage, init }),
      text: new SiglipTextTransformer(text, embedDim, { key: forText, init }),
    };
  }
  return {
    image: new VisionTransformer(image, embedDim, { key: forImage, init }),
    text: new TextTransformer(text, embedDim, { key: forText, init }),
  };
}
