import type { Alphabet } from './alphabet';
import type { Lexicon } from './lexicon';

/** A letter sounds as no phone, as one or as two. */
export const MOST_PHONES = 2;

/** Rounds of expectation and maximization: a lexicon's alignments hardly change after so many. */
const ROUNDS = 6;

/** Words from which the probabilities are learned: more would change little. */
const LEARNED_FROM = 20_000;

/** A word and its phones, as tokens. */
export interface Spoken {
  letters: readonly number[];
  phones: readonly number[];
}

/** The words of a lexicon, each with the first of its pronunciations. */
export function spokenBy(lexicon: Lexicon, alphabet: Alphabet): Spoken[] {
  return [...lexicon].map(([word, [phones]]) => ({
    letters: alphabet.spell(word),
    phones: alphabet.sound(phones!),
  }));
}

/**
 * Which phones each letter sounds as: the most probable way to cut a pronunciation into one part for each letter, of no,
 * one or two phones. The probabilities of letters with parts are found by expectation and maximization (Jiampojamarn
 * et al., "Applying Many-to-Many Alignments and Hidden Markov Models to Letter-to-Phoneme Conversion", 2007).
 */
export class Alignment {
  readonly #phones: number;
  readonly #parts: number;
  #probabilities: Float64Array;

  constructor(spoken: readonly Spoken[], { letters, phones }: { letters: number; phones: number }) {
    this.#phones = phones;
    this.#parts = 1 + phones + phones * phones;
    this.#probabilities = new Float64Array(letters * this.#parts).fill(1);
    const every = Math.max(1, Math.floor(spoken.length / LEARNED_FROM));
    const some = spoken.filter((_, i) => i % every === 0);
    for (let round = 0; round < ROUNDS; round++) {
      const counts = new Float64Array(this.#probabilities.length);
      for (const pair of some) this.#expect(pair, counts);
      const total = counts.reduce((sum, count) => sum + count, 0);
      this.#probabilities = counts.map((count) => count / total);
    }
  }

  /** Of the words of a lexicon, each with the first of its pronunciations. */
  static of(lexicon: Lexicon, alphabet: Alphabet): Alignment {
    const { sourceVocab: letters, targetVocab: phones } = alphabet;
    return new Alignment(spokenBy(lexicon, alphabet), { letters, phones });
  }

  /** The phones of each letter, or null where there are too many for so few letters. */
  align({ letters, phones }: Spoken): number[][] | null {
    const [n, m] = [letters.length, phones.length];
    const best = new Float64Array((n + 1) * (m + 1)).fill(-Infinity);
    const taken = new Int8Array(best.length);
    best[0] = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= m; j++) {
        const so = best[i * (m + 1) + j]!;
        if (so === -Infinity) continue;
        for (let k = 0; k <= MOST_PHONES && j + k <= m; k++) {
          // A part that was never seen is still better than none.
          const p = this.#probabilities[this.#at(letters[i]!, phones, j, k)]! + 1e-12;
          const to = (i + 1) * (m + 1) + j + k;
          if (so + Math.log(p) <= best[to]!) continue;
          best[to] = so + Math.log(p);
          taken[to] = k;
        }
      }
    }
    if (best.at(-1) === -Infinity) return null;
    const parts: number[][] = [];
    for (let i = n, j = m; i > 0; i--) {
      const k = taken[i * (m + 1) + j]!;
      parts.unshift(phones.slice(j - k, j));
      j -= k;
    }
    return parts;
  }

  /** Adds how often each part is expected with each letter: forwards and backwards through the lattice. */
  #expect({ letters, phones }: Spoken, counts: Float64Array): void {
    const [n, m] = [letters.length, phones.length];
    const before = new Float64Array((n + 1) * (m + 1));
    const after = new Float64Array(before.length);
    before[0] = 1;
    after[after.length - 1] = 1;
    const edges = (visit: (from: number, to: number, at: number) => void, i: number) => {
      for (let j = 0; j <= m; j++)
        for (let k = 0; k <= MOST_PHONES && j + k <= m; k++)
          visit(i * (m + 1) + j, (i + 1) * (m + 1) + j + k, this.#at(letters[i]!, phones, j, k));
    };
    const p = this.#probabilities;
    for (let i = 0; i < n; i++)
      edges((from, to, at) => {
        before[to]! += before[from]! * p[at]!;
      }, i);
    for (let i = n - 1; i >= 0; i--)
      edges((from, to, at) => {
        after[from]! += after[to]! * p[at]!;
      }, i);
    const all = before.at(-1)!;
    if (all === 0) return;
    for (let i = 0; i < n; i++)
      edges((from, to, at) => {
        counts[at]! += (before[from]! * p[at]! * after[to]!) / all;
      }, i);
  }

  /** Where the probability stands of a letter with `k` phones from place `j` on. */
  #at(letter: number, phones: readonly number[], j: number, k: number): number {
    const part =
      k === 0 ? 0 : k === 1 ? 1 + phones[j]! : 1 + this.#phones + phones[j]! * this.#phones + phones[j + 1]!;
    return letter * this.#parts + part;
  }
}
