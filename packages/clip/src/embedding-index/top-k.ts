/** The `k` best of what is offered: a heap with the worst on top. Equal scores go to the smaller key. */
export class TopK {
  readonly #scores: Float64Array;
  readonly #keys: Float64Array;
  #size = 0;

  constructor(readonly k: number) {
    this.#scores = new Float64Array(k);
    this.#keys = new Float64Array(k);
  }

  /** Below this score nothing gets in. */
  get threshold(): number {
    return this.#size < this.k ? Number.NEGATIVE_INFINITY : this.#scores[0]!;
  }

  offer(score: number, key: number): void {
    if (this.#size < this.k) this.#rise(this.#size++, score, key);
    else if (score > this.#scores[0]! || (score === this.#scores[0]! && key < this.#keys[0]!)) {
      this.#sink(score, key);
    }
  }

  /** Keys with their scores, best first. */
  sorted(): { key: number; score: number }[] {
    const found = Array.from({ length: this.#size }, (_, i) => ({
      key: this.#keys[i]!,
      score: this.#scores[i]!,
    }));
    return found.sort((a, b) => b.score - a.score || a.key - b.key);
  }

  #worse(at: number, score: number, key: number): boolean {
    const other = this.#scores[at]!;
    return other < score || (other === score && this.#keys[at]! > key);
  }

  #put(at: number, score: number, key: number): void {
    this.#scores[at] = score;
    this.#keys[at] = key;
  }

  #rise(from: number, score: number, key: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#worse(parent, score, key)) break;
      this.#put(at, this.#scores[parent]!, this.#keys[parent]!);
      at = parent;
    }
    this.#put(at, score, key);
  }

  /** Replaces the worst. */
  #sink(score: number, key: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      const right = child + 1;
      if (right < this.#size && this.#worse(right, this.#scores[child]!, this.#keys[child]!)) child = right;
      if (!this.#worse(child, score, key)) break;
      this.#put(at, this.#scores[child]!, this.#keys[child]!);
      at = child;
    }
    this.#put(at, score, key);
  }
}
