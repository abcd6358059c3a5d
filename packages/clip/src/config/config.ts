import { checkArgument } from '@poiesis/core';

/** Activation of the feed-forward parts. OpenAI's checkpoints have `'quickGelu'`, most of open_clip's `'gelu'`. */
export type ClipActivation = 'gelu' | 'quickGelu' | 'geluTanh';

/** The image tower: a Vision Transformer (Dosovitskiy et al., 2021). */
export interface ImageTowerConfig {
  /** Pixels of a side, or of height and width. */
  readonly imageSize: number | readonly [height: number, width: number];
  /** Pixels of a patch's side. */
  readonly patchSize: number;
  readonly dim: number;
  readonly layers: number;
  readonly heads: number;
  /** Features inside the feed-forward parts. Default `4 · dim`. */
  readonly hidden?: number;
}

/** The text tower: a causal Transformer (Radford et al., 2021). */
export interface TextTowerConfig {
  readonly vocabSize: number;
  /** Tokens of a text, start and end included. */
  readonly contextLength: number;
  readonly dim: number;
  readonly layers: number;
  readonly heads: number;
  /** Features inside the feed-forward parts. Default `4 · dim`. */
  readonly hidden?: number;
  /** Id of the end-of-text token, where a text is pooled. Default `vocabSize − 1`. */
  readonly endToken?: number;
}

/** A contrastive image–text model. */
export interface ClipConfig {
  readonly image: ImageTowerConfig;
  readonly text: TextTowerConfig;
  /** Width of the space that pictures and texts share. */
  readonly embedDim: number;
  readonly activation?: ClipActivation;
}

/** The end-of-text token of a text tower. */
export function endTokenOf(text: TextTowerConfig): number {
  const { endToken = text.vocabSize - 1 } = text;
  checkArgument(
    endToken >= 0 && endToken < text.vocabSize,
    'ClipConfig',
    'text.endToken',
    'a token',
    endToken,
  );
  return endToken;
}
