import {
  CLIP,
  type ClipBatch,
  type ClipConfig,
  ClipModel,
  clipPreprocessing,
  preprocessBatch,
  WordTokenizer,
} from '@poiesis/clip';
import type { Pair } from '../emoji/batches';

/** Sizes of the model. */
export interface EmojiClipSizes {
  /** Pixels of a picture's side, and of a patch's. */
  size: number;
  patch: number;
  /** Width of both towers, and of what they share. */
  dim: number;
  embedDim: number;
  layers: number;
  textLayers: number;
  patchDropout: number;
}

/** Features of a head. */
const HEAD = 32;
/** Words of a caption, with start and end. */
const CONTEXT = 16;

/** The words of captions. What occurs once is unknown: so training learns what to make of unknown words. */
export function emojiTokenizer(captions: Iterable<string>): WordTokenizer {
  return WordTokenizer.of(captions, { contextLength: CONTEXT, minCount: 2 });
}

/** A new model for emoji. */
export function newEmojiClip(
  tokenizer: WordTokenizer,
  { size, patch, dim, embedDim, layers, textLayers, patchDropout }: EmojiClipSizes,
  { seed }: { seed: number },
): CLIP {
  const heads = Math.max(1, Math.round(dim / HEAD));
  const { vocabSize, contextLength, endToken } = tokenizer;
  const config: ClipConfig = {
    image: { imageSize: size, patchSize: patch, dim, layers, heads, patchDropout },
    text: { vocabSize, contextLength, endToken, dim, layers: textLayers, heads },
    embedDim,
  };
  const model = new ClipModel(config, { seed });
  return new CLIP({ model, tokenizer, preprocessing: clipPreprocessing(size) });
}

/** Pictures and captions as a batch. */
export function emojiBatch({ tokenizer, preprocessing }: CLIP, pairs: readonly Pair[]): ClipBatch {
  return {
    pixels: preprocessBatch(
      pairs.map(({ image }) => image),
      preprocessing,
    ),
    tokens: tokenizer.batch(pairs.map(({ caption }) => caption)),
  };
}
