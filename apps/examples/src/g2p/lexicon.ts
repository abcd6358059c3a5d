import { readFile } from 'node:fs/promises';
import { type Key, permutation, randomKey } from '@poiesis/core';
import { ExampleError } from '../errors';

/** Words and what they sound like: each has one pronunciation or several, of at least one phone. */
export type Lexicon = ReadonlyMap<string, readonly (readonly string[])[]>;

/** Most letters of a word, and most phones of a pronunciation. */
export const LONGEST = 62;

/** Letters are compared in lower case, and as one code point where there is one for letter and accent. */
export function spelling(word: string): string {
  return word.normalize('NFC').toLowerCase();
}

/**
 * The CMU pronouncing dictionary, of the npm package of that name: American English.
 *
 * Two things are left out, as in the published splits of it: the digits that mark stress, so that scores can be
 * compared with published ones; and entries that are not spelled in letters and apostrophes (`a.m.`, `x-ray`).
 */
export async function cmuLexicon(): Promise<Lexicon> {
  const { dictionary } = await import('cmu-pronouncing-dictionary');
  return lexiconOf(Object.entries(dictionary).flatMap(([entry, phones]) => cmuEntry(entry, phones) ?? []));
}

/** `read(2)`, `R EH1 D` → `read`, `R EH D`. Remarks (`AA1 R HH UW0 S # place, danish`) are no phones. */
export function cmuEntry(entry: string, phones: string): { word: string; phones: string[] } | null {
  const word = entry.replace(/\(\d+\)$/, '');
  if (!/^[a-z']+$/.test(word)) return null;
  return { word, phones: phones.replace(/ *#.*/, '').replace(/\d/g, '').split(' ') };
}

/** A lexicon from a file of two columns. @throws ExampleError that names the line. */
export async function readLexicon(file: string): Promise<Lexicon> {
  const bytes = await readFile(file).catch((cause) => {
    throw new ExampleError(`cannot read ${file} (${cause.code ?? cause.message})`, { cause });
  });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ExampleError(`${file} is not UTF-8 text`, { cause });
  }
  return parseLexicon(text, file);
}

/**
 * Lines of a word, a tab, and its phones between spaces; a word with several pronunciations has several lines. Empty
 * lines are passed over.
 */
export function parseLexicon(text: string, file: string): Lexicon {
  const entries = text.split(/\r?\n/).flatMap((line, i) => {
    if (line.trim() === '') return [];
    const fail = (expected: string) => {
      const got = line.length > 60 ? `${line.slice(0, 60)}…` : line;
      throw new ExampleError(`${file}, line ${i + 1}: expected ${expected}, got ${JSON.stringify(got)}`);
    };
    const columns = line.split('\t');
    const word = spelling(columns[0]!.trim());
    const phones = (columns[1] ?? '').split(' ').filter((phone) => phone !== '');
    if (columns.length !== 2 || word === '' || phones.length === 0) fail('a word, a tab, and its phones');
    if ([...word].length > LONGEST || phones.length > LONGEST) fail(`at most ${LONGEST} letters and phones`);
    return [{ word, phones }];
  });
  if (entries.length === 0) throw new ExampleError(`${file} holds no words`);
  return lexiconOf(entries);
}

function lexiconOf(entries: readonly { word: string; phones: readonly string[] }[]): Lexicon {
  const lexicon = new Map<string, (readonly string[])[]>();
  for (const { word, phones } of entries) {
    const known = lexicon.get(word);
    if (!known) lexicon.set(word, [phones]);
    else if (!known.some((other) => other.join(' ') === phones.join(' '))) known.push(phones);
  }
  return lexicon;
}

/** What to learn from and to test on: files, or where there are none the dictionary. */
export interface LexiconFiles {
  data?: string | undefined;
  test?: string | undefined;
  /** Test no more than so many words. */
  testWords?: number | undefined;
}

/** The parts of the lexicon that `files` tell. @throws ExampleError for files that are none. */
export async function lexicons({ data, test, testWords }: LexiconFiles): Promise<Split> {
  const given = test === undefined ? {} : { test: await readLexicon(test) };
  const split = splitLexicon(data === undefined ? await cmuLexicon() : await readLexicon(data), given);
  return { ...split, test: firstOf(split.test, testWords) };
}

/** The test words of `lexicons`, without reading what there is to learn where they have a file. */
export async function testLexicon(files: LexiconFiles): Promise<Lexicon> {
  const { test, testWords } = files;
  return test === undefined ? (await lexicons(files)).test : firstOf(await readLexicon(test), testWords);
}

function firstOf(lexicon: Lexicon, count: number | undefined): Lexicon {
  return new Map([...lexicon].slice(0, count));
}

const SPLIT_SEED = 1;

export interface Split {
  train: Lexicon;
  validation: Lexicon;
  test: Lexicon;
}

/**
 * Splits by word, so that no word is in two parts: a hundredth for validation, but at most 1,000 words; a twentieth for
 * the test, where there is no test set of its own. The words of such a set are taken out of the rest.
 *
 * The words decide, not their order: models of different runs can be compared, and say words together that none of them
 * has learned.
 */
export function splitLexicon(all: Lexicon, { test }: { test?: Lexicon } = {}): Split {
  const words = [...all.keys()].filter((word) => !test?.has(word)).sort();
  if (words.length < 3) {
    throw new ExampleError(`${words.length} words to learn from are too few, at least 3 are needed`);
  }
  const [key] = randomKey(SPLIT_SEED).split(1) as [Key];
  const order = Array.from(permutation(key, words.length), (i) => words[i]!);
  const share = (of: number) => Math.max(1, Math.round(words.length * of));
  const first = Math.min(1000, share(0.01));
  const second = first + (test ? 0 : share(0.05));
  const part = (from: number, to?: number): Lexicon =>
    new Map(order.slice(from, to).map((word) => [word, all.get(word)!]));
  return { validation: part(0, first), test: test ?? part(first, second), train: part(second) };
}
