import { describe, expect, it } from 'vitest';
import { Alignment, spokenBy } from '../../src/g2p/alignment';
import { Alphabet } from '../../src/g2p/alphabet';
import { parseLexicon } from '../../src/g2p/lexicon';

const lines = [
  'cat\tK AE T',
  'cats\tK AE T S',
  'tax\tT AE K S',
  'act\tAE K T',
  'chat\tCH AE T',
  'that\tDH AE T',
  'hat\tHH AE T',
  'at\tAE T',
  'sat\tS AE T',
  'tack\tT AE K',
  'sack\tS AE K',
  'sax\tS AE K S',
  'ax\tAE K S',
];
const lexicon = parseLexicon(lines.join('\n'), 'f');
const alphabet = Alphabet.of(lexicon);
const spoken = spokenBy(lexicon, alphabet);
const alignment = Alignment.of(lexicon, alphabet);
const align = (word: string, phones: string) =>
  alignment
    .align({ letters: alphabet.spell(word), phones: alphabet.sound(phones.split(' ')) })
    ?.map((part) => alphabet.read(part).join(' '));

describe('Alignment', () => {
  it('finds what letters sound as: one phone, two, or none', () => {
    expect(align('cat', 'K AE T')).toEqual(['K', 'AE', 'T']);
    expect(align('tax', 'T AE K S')).toEqual(['T', 'AE', 'K S']);
    expect(align('tack', 'T AE K')!.filter((part) => part === '')).toHaveLength(1);
  });

  it('gives each letter a part, and all parts together are the pronunciation', () => {
    for (const { letters, phones } of spoken) {
      const parts = alignment.align({ letters, phones })!;
      expect(parts).toHaveLength(letters.length);
      expect(parts.flat()).toEqual(phones);
    }
  });

  it('aligns what it has never seen, unless there are more than two phones for a letter', () => {
    expect(align('sh', 'DH AE')).toHaveLength(2);
    expect(align('a', 'T AE K')).toBeUndefined();
  });
});
