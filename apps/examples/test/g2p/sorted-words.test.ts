import { permutation, randomKey } from '@poiesis/core';
import { describe, expect, it } from 'vitest';
import { SortedWords } from '../../src/g2p/sorted-words';

const sorted = (...words: string[]) => new SortedWords(words.map((word) => ({ word, value: word })));

describe('SortedWords', () => {
  const words = sorted('agendas', "agenda's", 'agenda', 'agent', 'bald');
  const nearest = (word: string, count: number) =>
    words.nearest(word, count).map(({ value, common }) => [value, common]);

  it('finds those that begin alike for longest, the shorter ones first', () => {
    expect(nearest('agendas', 1)).toEqual([['agenda', 6]]);
    expect(nearest('agenda', 2)).toEqual([
      ['agendas', 6],
      ["agenda's", 6],
    ]);
    expect(nearest('agents', 2)).toEqual([
      ['agent', 5],
      ['agenda', 4],
    ]);
    expect(nearest('a', 1)).toEqual([['agent', 1]]);
    expect(nearest('balder', 2)).toEqual([['bald', 4]]);
  });

  it('never finds the word itself, nor one that begins otherwise', () => {
    expect(nearest('bald', 1)).toEqual([]);
    expect(nearest('x', 1)).toEqual([]);
    expect(nearest('', 1)).toEqual([]);
    expect(sorted().nearest('bald', 1)).toEqual([]);
    expect(sorted('bald', 'bald').nearest('bald', 1)).toEqual([]);
  });

  it('finds what looking at every word finds', () => {
    const draws = permutation(randomKey(1), 3 ** 6);
    // Words of a, b and c, of one to six letters.
    const letters = (n: number) => n.toString(3).replace(/\d/g, (digit) => 'abc'[Number(digit)]!);
    const words = [...new Set(Array.from(draws.slice(0, 150), letters))];
    const index = sorted(...words);
    const common = (a: string, b: string) => {
      let n = 0;
      while (n < a.length && a[n] === b[n]) n++;
      return n;
    };
    for (const word of [...words, 'abcabc', 'ccc', 'aabb']) {
      const others = words
        .flatMap((other) => (other === word ? [] : { value: other, common: common(other, word) }))
        .filter((other) => other.common > 0)
        .sort(
          (a, b) => b.common - a.common || a.value.length - b.value.length || (a.value < b.value ? -1 : 1),
        );
      for (const count of [1, 3]) expect(index.nearest(word, count)).toEqual(others.slice(0, count));
    }
  });
});
