import { type Key, permutation, randomKey } from '@poiesis/core';
import { ExampleError } from '../errors';
import type { Emoji } from './emoji-set';

/** Numbers of emoji, by what they are for. */
export interface EmojiSplit {
  train: number[];
  validation: number[];
  test: number[];
}

/** Share of the emoji that the model is tested on, and that it is watched by during training. */
const TEST = 0.1;
const VALIDATION = 0.05;

/** Families with more variants are learned from: thirty of one would be most of what a test tells. */
const LARGE = 6;

/**
 * Splits by family, so that no emoji of one part has a variant in another. The families and nothing else decide, not
 * the seed of a run: so runs compare, and no test emoji of one was learned in another.
 */
export function splitEmoji(emoji: readonly Pick<Emoji, 'family'>[]): EmojiSplit {
  const families = new Map<string, number[]>();
  for (const [i, { family }] of emoji.entries()) {
    const known = families.get(family);
    if (known) known.push(i);
    else families.set(family, [i]);
  }
  const names = [...families.keys()].sort();
  if (names.length < 3) {
    throw new ExampleError(`${names.length} emoji to learn from are too few, at least 3 are needed`);
  }
  const [key] = randomKey(0).split(1) as [Key];
  const mixed = Array.from(permutation(key, names.length), (i) => families.get(names[i]!)!);
  const isLarge = (family: readonly number[]) => family.length > LARGE;
  const order = [...mixed.filter((family) => !isLarge(family)), ...mixed.filter(isLarge)];
  const test = Math.max(1, Math.round(names.length * TEST));
  const validation = test + Math.max(1, Math.round(names.length * VALIDATION));
  const part = (from: number, to?: number) =>
    order
      .slice(from, to)
      .flat()
      .sort((a, b) => a - b);
  return { test: part(0, test), validation: part(test, validation), train: part(validation) };
}
