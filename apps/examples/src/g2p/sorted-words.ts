/** Words in order, to find those that begin alike. */
export class SortedWords<Value> {
  readonly #words: readonly { word: string; value: Value }[];

  constructor(words: readonly { word: string; value: Value }[]) {
    this.#words = [...words].sort((a, b) => (a.word < b.word ? -1 : a.word > b.word ? 1 : 0));
  }

  /**
   * The `count` words that begin like `word` for longest, itself aside; of those that are alike the shorter one, and
   * then the first in order. Fewer where fewer begin like it.
   * @returns `common` is how many letters both begin with.
   */
  nearest(word: string, count: number): { value: Value; common: number }[] {
    const words = this.#words;
    const alike = (i: number) => commonBeginning(words[i]?.word ?? '', word);
    let from = this.#firstFrom(word);
    let to = from;
    while (words[to]?.word === word) to++;
    const found: { value: Value; common: number }[] = [];
    while (found.length < count) {
      const common = Math.max(alike(from - 1), alike(to));
      if (common === 0) break;
      const level: (typeof words)[number][] = [];
      while (alike(from - 1) === common) level.unshift(words[--from]!);
      while (alike(to) === common) level.push(words[to++]!);
      level.sort((a, b) => a.word.length - b.word.length);
      for (const { value } of level.slice(0, count - found.length)) found.push({ value, common });
    }
    return found;
  }

  /** Place of the first word that is not before this one. */
  #firstFrom(word: string): number {
    let low = 0;
    let high = this.#words.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#words[middle]!.word < word) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function commonBeginning(a: string, b: string): number {
  let n = 0;
  while (n < a.length && a[n] === b[n]) n++;
  return n;
}
