import { randomKey } from '@poiesis/core';
import { describe, expect, it } from 'vitest';
import { captionOf, keywordsOf, plainText } from '../../src/emoji/captions';

it.each([
  ['Japanese “here” button', 'japanese here button'],
  ['keycap: #', 'keycap #'],
  ['one o’clock', "one o'clock"],
  ['grinning_face', 'grinning face'],
  ['flag: Côte d’Ivoire', "flag côte d'ivoire"],
])('writes %s plainly', (text, plain) => {
  expect(plainText(text)).toBe(plain);
});

it('takes keywords that name something, each once', () => {
  const lists = [
    ['cat', 'Face', 'grin'],
    ['grinning_cat', ':3', 'face', ':D', 'cat face'],
  ];
  expect(keywordsOf(lists, 'grinning cat')).toEqual(['cat', 'face', 'grin', 'cat face']);
});

describe('captionOf', () => {
  const emoji = {
    code: '1f408',
    name: 'cat',
    family: 'cat',
    keywords: ['animal', 'pet', 'kitten', 'whiskers'],
  };
  const captions = Array.from({ length: 400 }, (_, i) => captionOf(emoji, randomKey(1).fold(i)));

  it('is decided by its key', () => {
    const again = Array.from({ length: 400 }, (_, i) => captionOf(emoji, randomKey(1).fold(i)));
    expect(again).toEqual(captions);
  });

  it('says the name, the name with keywords, or two keywords and more', () => {
    const names = captions.filter((caption) => caption === 'cat').length;
    const both = captions.filter((caption) => caption.startsWith('cat ')).length;
    expect(names / 400).toBeGreaterThan(0.3);
    expect(both / 400).toBeGreaterThan(0.25);
    for (const caption of captions) {
      const words = caption.split(' ');
      expect(new Set(words).size).toBe(words.length);
      expect(['cat', ...emoji.keywords]).toEqual(expect.arrayContaining(words));
      if (words[0] !== 'cat') expect(words.length).toBeGreaterThan(1);
    }
  });

  it('is the name where there are no keywords', () => {
    expect(captionOf({ ...emoji, keywords: [] }, randomKey(1))).toBe('cat');
  });
});
