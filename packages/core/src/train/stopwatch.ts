/** Adds up the time between `start()` and `stop()`. */
export class Stopwatch {
  #total: number;
  #lap = 0;
  #since: number | null = null;

  /** @param seconds What other runs have spent before. */
  constructor(seconds = 0) {
    this.#total = seconds;
  }

  start(): void {
    this.#since ??= performance.now();
  }

  stop(): void {
    if (this.#since === null) return;
    const seconds = (performance.now() - this.#since) / 1000;
    this.#since = null;
    this.#total += seconds;
    this.#lap += seconds;
  }

  /** Seconds since the last `lap()`. */
  lap(): number {
    const lap = this.#lap;
    this.#lap = 0;
    return lap;
  }

  get seconds(): number {
    return this.#total;
  }
}
