import type { Lexicon } from './lexicon';

export interface ErrorRates {
  /** Per cent of words that are said otherwise than in any of their pronunciations. */
  wordErrorRate: number;
  /** Phones to insert, delete and replace, per cent of those of the pronunciation that is closest. */
  phonemeErrorRate: number;
}

/** Compares the first of what was said of each word with its pronunciations, of which any counts. */
export function errorRates(
  said: ReadonlyMap<string, readonly { phones: readonly string[] }[]>,
  lexicon: Lexicon,
): ErrorRates {
  let wrong = 0;
  let edits = 0;
  let phones = 0;
  for (const [word, references] of lexicon) {
    const answer = said.get(word)?.[0]?.phones ?? [];
    const distances = references.map((reference) => editDistance(answer, reference));
    const least = Math.min(...distances);
    if (least > 0) wrong += 1;
    edits += least;
    phones += references[distances.indexOf(least)]!.length;
  }
  return { wordErrorRate: percent(wrong, lexicon.size), phonemeErrorRate: percent(edits, phones) };
}

function percent(part: number, whole: number): number {
  return Number(((100 * part) / whole).toFixed(3));
}

/** Levenshtein's distance: insertions, deletions and replacements from one to the other. */
export function editDistance(from: readonly string[], to: readonly string[]): number {
  let above = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, a] of from.entries()) {
    const row = [i + 1];
    for (const [j, b] of to.entries()) {
      row.push(Math.min(above[j]! + (a === b ? 0 : 1), above[j + 1]! + 1, row[j]! + 1));
    }
    above = row;
  }
  return above.at(-1)!;
}
