import { permutation, randomKey } from '@poiesis/core';
import { describe, expect, it } from 'vitest';
import { SortedWords } from '../../src/g2p/sorted-words';

const sorted = (...words: string[]) => new SortedWords(words.map((word) => ({ word, value: word })));

describe('SortedWords', () => {
  it('finds the shortest of those that begin alike for longest', () => {
    const words = sorted('agendas', "agenda's", 'agenda', 'agent', 'bald');
    expect(words.nearest('agendas')).toEqual({ value: 'agenda', common: 6 });
    expect(words.nearest('agenda')).toEqual({ value: 'agendas', common: 6 });
    expect(words.nearest('agents')).toEqual({ value: 'agent', common: 5 });
    expect(words.nearest('a')).toEqual({ value: 'agent', common: 1 });
    expect(words.nearest('balder')).toEqual({ value: 'bald', common: 4 });
  });

  it('never finds the word itself, nor one that begins otherwise', () => {
    expect(sorted('bald').nearest('bald')).toBeNull();
    expect(sorted('bald').nearest('x')).toBeNull();
    expect(sorted('bald').nearest('')).toBeNull();
    expect(sorted().nearest('bald')).toBeNull();
  });

  it('finds what looking at every word finds', () => {
    const draws = permutation(randomKey(1), 3 ** 6);
    // Words of a, b and c, of one to six letters.
    const words = [
      ...new Set(
        Array.from(draws.slice(0, 150), (n) => n.toString(3).replace(/\d/g, (d) => 'abc'[Number(d)]!)),
      ),
    ];
    const index = sorted(...words);
    const common = (a: string, b: string) => {
      let n = 0;
      while (n < a.length && a[n] === b[n]) n++;
      return n;
    };
    for (const word of [...words, 'abcabc', 'ccc', 'aabb']) {
      const others = words.filter((other) => other !== word);
      const most = Math.max(...others.map((other) => common(other, word)));
      const [best] = others
        .filter((other) => common(other, word) === most)
        .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
      expect(index.nearest(word)).toEqual(most === 0 ? null : { value: best, common: most });
    }
  });
});
