import { type Key, randomKey } from '@poiesis/core';
import type { ResolvedClipConfig } from '../config';
import { type ImageTower, type TextTower, TextTransformer, VisionTransformer } from '../towers';
import { emptyInit } from '../towers/init';

/** The towers of a family; without a key, with zeros for weights. */
export function buildTowers(
  { image, text, embedDim }: ResolvedClipConfig,
  key: Key | null,
): { image: ImageTower; text: TextTower } {
  const [forImage, forText] = (key ?? randomKey(0)).split(2) as [Key, Key];
  const init = key ? undefined : emptyInit;
  return {
    image: new VisionTransformer(image, embedDim, { key: forImage, init }),
    text: new TextTransformer(text, embedDim, { key: forText, init }),
  };
}
