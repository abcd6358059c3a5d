import { checkArgument } from '@poiesis/core';
import { TextTokenizer, type TextTokenizerOptions } from './text-tokenizer';

export interface WordTokenizerOptions extends TextTokenizerOptions {
  /** Words that occur less often are unknown. Default 1. */
  minCount?: number;
  /** At most so many ids, the four special ones included; the most frequent words have them. Default: no limit. */
  vocabSize?: number;
}

const PAD = '[PAD]';
const UNKNOWN = '[UNK]';
const START = '[START]';
const END = '[END]';
const SPECIALS = [PAD, UNKNOWN, START, END];

/** Letters, digits and the apostrophes between them; anything else that is no space stands alone. */
const WORDS = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*|[^\s\p{L}\p{M}\p{N}]/gu;

/**
 * A tokenizer of whole words, for models that are trained from the start on few captions:
 * `WordTokenizer.of(captions, { contextLength: 16 })`. Words are compared in small letters, composed (NFC); what is not
 * in the vocabulary is `[UNK]`.
 */
export class WordTokenizer extends TextTokenizer {
  readonly padToken = 0;
  readonly startToken = 2;
  readonly endToken = 3;
  /** By id; the first four are `[PAD]`, `[UNK]`, `[START]`, `[END]`. */
  readonly words: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  private constructor(words: readonly string[], options: TextTokenizerOptions) {
    super(options);
    this.words = words;
    this.#ids = new Map(words.map((word, id) => [word, id]));
  }

  /** The words of captions, the most frequent ones first; equally frequent ones by their code points. */
  static of(captions: Iterable<string>, options: WordTokenizerOptions = {}): WordTokenizer {
    const { minCount = 1, vocabSize = Number.POSITIVE_INFINITY, ...rest } = options;
    const counts = new Map<string, number>();
    for (const caption of captions) {
      for (const word of split(caption)) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const words = [...counts]
      .filter(([, count]) => count >= minCount)
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .map(([word]) => word);
    return new WordTokenizer([...SPECIALS, ...words].slice(0, vocabSize), rest);
  }

  /** From what `toJSON` gave. */
  static fromJson(json: object, options: TextTokenizerOptions = {}): WordTokenizer {
    const { type, words, contextLength, allowEmpty } = json as Partial<ReturnType<WordTokenizer['toJSON']>>;
    const whole =
      type === 'poiesis-words' && Array.isArray(words) && SPECIALS.every((word, id) => words[id] === word);
    checkArgument(whole, 'WordTokenizer.fromJson', 'json', 'what WordTokenizer.toJSON() gave', json);
    return new WordTokenizer(words, { contextLength, allowEmpty, ...options });
  }

  get vocabSize(): number {
    return this.words.length;
  }

  encode(text: string): number[] {
    return [this.startToken, ...Array.from(split(text), (word) => this.#ids.get(word) ?? 1), this.endToken];
  }

  decode(ids: ArrayLike<number>): string {
    const words: string[] = [];
    for (let i = 0; i < ids.length && ids[i] !== this.endToken; i++) {
      if (ids[i] !== this.startToken && ids[i] !== this.padToken) words.push(this.words[ids[i]!] ?? UNKNOWN);
    }
    return words.join(' ');
  }

  toJSON() {
    const { words, contextLength, allowEmpty } = this;
    return { type: 'poiesis-words' as const, contextLength, allowEmpty, words };
  }
}

function split(text: string): readonly string[] {
  return text.normalize('NFC').toLowerCase().match(WORDS) ?? [];
}
