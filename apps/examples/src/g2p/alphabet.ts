import { ExampleError } from '../errors';
import type { Lexicon } from './lexicon';

/** Padding, start and end come before letters and phones. */
const SPECIAL = 3;

/** Letters and phones as tokens. */
export class Alphabet {
  readonly #letters: ReadonlyMap<string, number>;
  readonly #phones: ReadonlyMap<string, number>;

  constructor(
    readonly letters: readonly string[],
    readonly phones: readonly string[],
  ) {
    const numbered = (symbols: readonly string[]) =>
      new Map(symbols.map((symbol, i) => [symbol, SPECIAL + i]));
    this.#letters = numbered(letters);
    this.#phones = numbered(phones);
  }

  /** The letters and phones that a lexicon uses. */
  static of(lexicon: Lexicon): Alphabet {
    const letters = new Set([...lexicon.keys()].flatMap((word) => [...word]));
    const phones = new Set([...lexicon.values()].flat(2));
    return new Alphabet([...letters].sort(), [...phones].sort());
  }

  get sourceVocab(): number {
    return SPECIAL + this.letters.length;
  }

  get targetVocab(): number {
    return SPECIAL + this.phones.length;
  }

  /** Whether letters and phones are the other's. */
  equals({ letters, phones }: Alphabet): boolean {
    const same = (a: readonly string[], b: readonly string[]) =>
      a.length === b.length && a.every((symbol, i) => symbol === b[i]);
    return same(letters, this.letters) && same(phones, this.phones);
  }

  /** The tokens of a word. @throws ExampleError for a letter that is not of the alphabet. */
  spell(word: string): number[] {
    return [...word].map((letter) => {
      const token = this.#letters.get(letter);
      if (token !== undefined) return token;
      const known = this.letters.join('');
      throw new ExampleError(
        `${JSON.stringify(word)}: unknown letter ${JSON.stringify(letter)}; known are ${known}`,
      );
    });
  }

  /** The tokens of a pronunciation that is made of the alphabet's phones. */
  sound(phones: readonly string[]): number[] {
    return phones.map((phone) => this.#phones.get(phone)!);
  }

  /** The phones of decoded tokens. */
  read(tokens: readonly number[]): string[] {
    return tokens.map((token) => this.phones[token - SPECIAL]!);
  }
}
