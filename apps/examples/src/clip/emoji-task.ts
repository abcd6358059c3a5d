import type { EmojiSet, Style } from '../emoji/emoji-set';

/** Pixels of a side: of those that the packages have, as many as tell the emoji apart. */
export const SIZE = 48;

/** Styles to learn from, and the one that is kept for the test. */
export const SEEN: readonly Style[] = ['google', 'twitter'];
export const UNSEEN: Style = 'fluent';

/** How pictures are changed in training. Not mirrored: arrows and hands have a direction that their names tell. */
export const CHANGES = {
  scale: [0.5, 1],
  filter: 'bilinear',
  jitter: { brightness: 0.2, contrast: 0.2, saturation: 0.2 },
} as const;

/** All that is said of some emoji. */
export function captionsOf(set: EmojiSet, emoji: readonly number[]): string[] {
  return emoji.flatMap((i) => [set.emoji[i]!.name, ...set.emoji[i]!.keywords]);
}
