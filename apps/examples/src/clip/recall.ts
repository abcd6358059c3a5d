import { type CLIP, retrievalMetrics, retrievalRanks } from '@poiesis/clip';
import * as tf from '@tensorflow/tfjs-core';
import type { EmojiSet, Style } from '../emoji/emoji-set';

/** Share of the queries whose answer is among the first 1, 5, 10. */
export interface Recall {
  at1: number;
  at5: number;
  at10: number;
}

export interface BothWays {
  /** A name looks for its picture among the pictures of one style. */
  textToImage: Recall;
  /** A picture looks for its name among the names of all these emoji. */
  imageToText: Recall;
}

export interface RecallOptions {
  /** Numbers of the emoji: queries and candidates. */
  emoji: readonly number[];
  /** Each is looked through by itself; the result is of the queries of all. */
  styles: readonly Style[];
  onProgress?: (done: number, total: number) => void;
}

/** How well names find pictures and pictures names. Of equal scores the wrong ones come first. */
export async function emojiRecall(
  clip: CLIP,
  set: EmojiSet,
  { emoji, styles, onProgress }: RecallOptions,
): Promise<BothWays & { images: number }> {
  const total = styles.reduce((sum, style) => sum + emoji.filter((i) => set.has(style, i)).length, 0);
  const ranks: Record<keyof BothWays, number[]> = { textToImage: [], imageToText: [] };
  const names = await clip.embedTexts(
    emoji.map((i) => set.emoji[i]!.name),
    { batch: BATCH },
  );
  for (const style of styles) {
    const before = ranks.imageToText.length;
    // Places in the list, of those that are drawn in this style.
    const drawn = emoji.flatMap((i, place) => (set.has(style, i) ? [place] : []));
    const images = await clip.embedImages(
      drawn.map((place) => set.image(style, emoji[place]!)),
      { batch: BATCH, onProgress: ({ done }) => onProgress?.(before + done, total) },
    );
    const asked = tf.tidy(() => tf.gather(names, tf.tensor1d(drawn, 'int32')));
    const own = drawn.map((_, i) => [i]);
    ranks.textToImage.push(...(await retrievalRanks(asked, images, own)));
    ranks.imageToText.push(
      ...(await retrievalRanks(
        images,
        names,
        drawn.map((place) => [place]),
      )),
    );
    tf.dispose([images, asked]);
  }
  names.dispose();
  return { textToImage: recall(ranks.textToImage), imageToText: recall(ranks.imageToText), images: total };
}

const BATCH = 64;

function recall(ranks: readonly number[]): Recall {
  const { at1, at5, at10 } = retrievalMetrics(ranks);
  const rounded = (share: number) => Number(share.toFixed(4));
  return { at1: rounded(at1), at5: rounded(at5), at10: rounded(at10) };
}
