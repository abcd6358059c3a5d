import { describe, expect, it } from 'vitest';
import { WordTokenizer } from '../../src/tokenizer';

const captions = [
  'A red circle',
  'a blue square',
  'a red square!',
  "the dog's  bone",
  'Café au lait',
  'café',
];

describe('WordTokenizer', () => {
  const tokenizer = WordTokenizer.of(captions, { contextLength: 8 });

  it('has the frequent words first', () => {
    expect(tokenizer.words.slice(0, 8)).toEqual([
      '[PAD]',
      '[UNK]',
      '[START]',
      '[END]',
      'a',
      'café',
      'red',
      'square',
    ]);
    expect(tokenizer.words.slice(8)).toEqual(['!', 'au', 'blue', 'bone', 'circle', "dog's", 'lait', 'the']);
    expect(tokenizer.vocabSize).toBe(16);
  });

  it('encodes, decodes, fills up and cuts off', () => {
    expect(tokenizer.encode('A RED cafe\u0301, green')).toEqual([2, 4, 6, 5, 1, 1, 3]);
    expect([...tokenizer.row('a red square')]).toEqual([2, 4, 6, 7, 3, 0, 0, 0]);
    expect([...tokenizer.row('a a a a a a a a a')]).toEqual([2, 4, 4, 4, 4, 4, 4, 3]);
    expect(tokenizer.decode(tokenizer.row('A red square'))).toBe('a red square');
    expect(() => tokenizer.batch(['a', '  '])).toThrow('TextTokenizer.batch(texts[1])');
  });

  it('drops rare words and words beyond the size', () => {
    expect(WordTokenizer.of(captions, { minCount: 2 }).words.slice(4)).toEqual([
      'a',
      'café',
      'red',
      'square',
    ]);
    expect(WordTokenizer.of(captions, { vocabSize: 6 }).words.slice(4)).toEqual(['a', 'café']);
  });

  it('is the same after being saved', () => {
    const again = WordTokenizer.fromJson(JSON.parse(JSON.stringify(tokenizer)));
    expect(again).toEqual(tokenizer);
    expect([...again.row('a blue bone')]).toEqual([...tokenizer.row('a blue bone')]);
    expect(() => WordTokenizer.fromJson({ words: ['a'] })).toThrow('WordTokenizer.fromJson(json)');
  });

  it('does not mistake the names of special words for them', () => {
    expect(tokenizer.encode('[END]')).toEqual([2, 1, 1, 1, 3]);
  });
});
