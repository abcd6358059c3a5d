import { type CLIP, EmbeddingIndex } from '@poiesis/clip';
import type { HostImage } from '@poiesis/core';
import { type EmojiSet, type Style, styles } from '../emoji/emoji-set';

/** A picture of an emoji that was found. */
export interface FoundEmoji {
  emoji: number;
  style: Style;
  /** Cosine. */
  score: number;
  image: HostImage;
}

export interface GalleryOptions {
  /** Which pictures to look through. Default: all. */
  accept?: (style: Style, emoji: number) => boolean;
  onProgress?: (done: number, total: number) => void;
}

/** Pictures of emoji, to be searched by words. */
export class Gallery {
  private constructor(
    private readonly clip: CLIP,
    private readonly set: EmojiSet,
    private readonly index: EmbeddingIndex,
  ) {}

  static async of(
    clip: CLIP,
    set: EmojiSet,
    { accept = () => true, onProgress }: GalleryOptions = {},
  ): Promise<Gallery> {
    const index = new EmbeddingIndex(clip.embedDim);
    const places = styles.flatMap((style) =>
      set.emoji.flatMap((_, emoji) =>
        set.has(style, emoji) && accept(style, emoji) ? [{ style, emoji }] : [],
      ),
    );
    const images = places.map(({ style, emoji }) => set.image(style, emoji));
    const embedded = await clip.embedImages(images, {
      batch: 64,
      onProgress: ({ done, total }) => onProgress?.(done, total),
    });
    await index.add(
      places.map(({ style, emoji }) => `${style} ${emoji}`),
      embedded,
    );
    embedded.dispose();
    return new Gallery(clip, set, index);
  }

  /** The pictures that fit a text best, of each emoji the one that fits best. */
  async search(text: string, { k }: { k: number }): Promise<FoundEmoji[]> {
    const query = await this.clip.embedTexts([text]);
    const matches = await this.index.search(query, { k: Math.min(this.index.size, k * styles.length) });
    query.dispose();
    const found = new Map<number, FoundEmoji>();
    for (const { id, score } of matches) {
      const [style, number] = id.split(' ') as [Style, string];
      const emoji = Number(number);
      if (!found.has(emoji)) found.set(emoji, { emoji, style, score, image: this.set.image(style, emoji) });
    }
    return [...found.values()].slice(0, k);
  }
}

/** The emoji as a character. */
export function character(code: string): string {
  return String.fromCodePoint(...code.split('-').map((point) => Number.parseInt(point, 16)));
}
