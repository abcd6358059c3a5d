import { hostIntegers, hostUniform, type Key, permutation } from '@poiesis/core';
import type { Emoji } from './emoji-set';

/** A text as captions are written: lower case, straight quotes, no punctuation that only separates. */
export function plainText(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[‘’]/g, "'")
    .replace(/[“”":;,()_/]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The words of a list that name something: no emoticons, nothing twice, not the name itself. */
export function keywordsOf(lists: readonly (readonly string[])[], name: string): string[] {
  const words = lists.flat().flatMap((word) => (/[a-z0-9]{2}/i.test(word) ? [plainText(word)] : []));
  return [...new Set(words)].filter((word) => word !== name && word !== '');
}

/** Most keywords of one caption. */
const KEYWORDS = 4;

/**
 * One of the many things that can be said of an emoji: half of the time its name, often with keywords behind it, and
 * keywords alone the rest of the time. A function of the key.
 */
export function captionOf({ name, keywords }: Emoji, key: Key): string {
  const [kindKey, countKey, orderKey] = key.split(3) as [Key, Key, Key];
  const kind = hostUniform(kindKey, 1)[0]!;
  if (kind < 0.4 || keywords.length === 0) return name;
  const count = 1 + hostIntegers(countKey, 1, { max: KEYWORDS })[0]!;
  const order = Array.from(permutation(orderKey, keywords.length), (i) => keywords[i]!);
  if (kind < 0.75) return [name, ...order.slice(0, count)].join(' ');
  // One keyword alone is shared by many.
  return order.slice(0, count + 1).join(' ');
}
