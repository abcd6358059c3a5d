import type { Alignment, Spoken } from './alignment';
import { SortedWords } from './sorted-words';

/** Between two words. */
const SEPARATOR = 0;

/** Parts that a letter has less often are not told apart from what is not known. */
const RARE = 20;

/**
 * The words that a model learns from, and what each of their letters sounds as: a part of the pronunciation, known by its
 * number among those of the letter, from 1.
 *
 * Whoever has seen `agenda` knows most of `agendas`, and two halves of `wiretapped` from `wired` and `tapped`. A model has
 * to see a word many times to know it by heart; here it is looked up instead. No word is an analogy of itself, so that
 * a model sees of the words which it learns what it will see of new ones.
 *
 * After Dedina and Nusbaum, "PRONOUNCE: a program for pronunciation by analogy" (1991), as an input of the model
 * instead of a rule.
 */
export class Analogies {
  /** Numbers of parts, that of nothing included. */
  readonly kinds: number;
  readonly #beginnings: SortedWords<readonly number[]>;
  readonly #endings: SortedWords<readonly number[]>;

  /**
   * @param letters the words' letters as tokens, 0 after each word.
   * @param parts at the same places the number of what the letter sounds as.
   * @param count words to look up at each end of a word.
   */
  constructor(
    readonly letters: Int32Array,
    readonly parts: Int32Array,
    readonly count: number,
  ) {
    this.kinds = parts.reduce((most, part) => Math.max(most, part), 0) + 1;
    const words: { word: string; value: number[] }[] = [];
    for (let from = 0; from < letters.length; ) {
      const to = letters.indexOf(SEPARATOR, from);
      words.push({ word: written(letters.subarray(from, to)), value: [...parts.subarray(from, to)] });
      from = to + 1;
    }
    this.#beginnings = new SortedWords(words);
    this.#endings = new SortedWords(
      words.map(({ word, value }) => ({ word: turned(word), value: [...value].reverse() })),
    );
  }

  /**
   * Finds the parts of each letter by alignment; a word that cannot be aligned is left out.
   * @param options words to look up at each end of a word, and the greatest number of a part.
   */
  static of(
    spoken: readonly Spoken[],
    alignment: Alignment,
    { count, most }: { count: number; most: number },
  ): Analogies {
    const aligned = spoken.flatMap((pair) => {
      const parts = alignment.align(pair)?.map((part) => part.join(' '));
      return parts ? [{ letters: pair.letters, parts }] : [];
    });
    const numbers = numbered(aligned, most);
    const numbersOf = ({ letters, parts }: Aligned) =>
      parts.map((part, i) => numbers.get(letters[i]!)!.get(part) ?? 0);
    return new Analogies(
      Int32Array.from(aligned.flatMap(({ letters }) => [...letters, SEPARATOR])),
      Int32Array.from(aligned.flatMap((word) => [...numbersOf(word), 0])),
      count,
    );
  }

  /**
   * What the letters of a word, given as tokens, sound as in words of the like: numbers of parts, 0 where nothing is
   * known. First in the `count` words that begin like it for longest, then in those that end like it.
   */
  of(word: readonly number[]): number[][] {
    const known = (near: { value: readonly number[]; common: number } | undefined) =>
      word.map((_, i) => (near && i < near.common ? near.value[i]! : 0));
    const beginnings = this.#beginnings.nearest(written(word), this.count);
    const endings = this.#endings.nearest(turned(written(word)), this.count);
    const places = Array.from({ length: this.count }, (_, i) => i);
    return [...places.map((i) => known(beginnings[i])), ...places.map((i) => known(endings[i]).reverse())];
  }
}

interface Aligned {
  letters: readonly number[];
  parts: readonly string[];
}

/** Of each letter, the numbers of its frequent parts, from the most frequent one on. */
function numbered(words: readonly Aligned[], most: number): Map<number, Map<string, number>> {
  const counts = new Map<number, Map<string, number>>();
  for (const { letters, parts } of words) {
    for (const [i, part] of parts.entries()) {
      const own = counts.get(letters[i]!) ?? new Map<string, number>();
      counts.set(letters[i]!, own.set(part, (own.get(part) ?? 0) + 1));
    }
  }
  const numbers = (own: Map<string, number>) => {
    const frequent = [...own].filter(([, count]) => count >= RARE);
    frequent.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return new Map(frequent.slice(0, most).map(([part], i) => [part, i + 1]));
  };
  return new Map([...counts].map(([letter, own]) => [letter, numbers(own)]));
}

/** Tokens as a string, to be compared and sorted: a character each. */
function written(tokens: ArrayLike<number>): string {
  return String.fromCharCode(...Array.from(tokens));
}

function turned(word: string): string {
  return [...word].reverse().join('');
}
