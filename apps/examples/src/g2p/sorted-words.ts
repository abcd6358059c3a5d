/** Words in order, to find those that begin alike. */
export class SortedWords<Value> {
  readonly #words: readonly { word: string; value: Value }[];

  constructor(words: readonly { word: string; value: Value }[]) {
    this.#words = [...words].sort((a, b) => (a.word < b.word ? -1 : a.word > b.word ? 1 : 0));
  }

  /**
   * Of the words that begin like `word` for longest, itself aside, the shortest, and of these the first in order.
   * @returns null where none begins like it; `common` is how many letters both begin with.
   */
  nearest(word: string): { value: Value; common: number } | null {
    const words = this.#words;
    const alike = (i: number) => commonBeginning(words[i]?.word ?? '', word);
    let from = this.#firstFrom(word);
    let to = from;
    while (words[to]?.word === word) to++;
    const common = Math.max(alike(from - 1), alike(to));
    if (common === 0) return null;
    const others: (typeof words)[number][] = [];
    while (alike(from - 1) === common) others.unshift(words[--from]!);
    while (alike(to) === common) others.push(words[to++]!);
    const best = others.reduce((best, other) => (other.word.length < best.word.length ? other : best));
    return { value: best.value, common };
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
