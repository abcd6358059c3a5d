import { checkArgument } from '@poiesis/core';
import type { Decodable, Hypothesis } from './model';
import { DecodingSession, inEvaluation } from './session';
import { type Source, type Sources, sourceBatch, targetLength } from './sources';

export interface BeamSearchOptions {
  /** Hypotheses followed at a time. Default 4. */
  beams?: number;
  /** Hypotheses returned, best first; at most `beams`. Default `beams`. */
  best?: number;
  /** α of the length penalty; 0 ranks by probability alone. Default 0.6, the paper's. */
  lengthPenalty?: number;
  /**
   * Stops as soon as there are `beams` finished hypotheses. Default false: only when no unfinished one can become better
   * than the worst of them.
   */
  earlyStopping?: boolean;
  /** Most tokens of the target, end included. Default: twice the source's and 16. */
  maxLength?: number;
}

/**
 * Decodes by beam search: at each place the most probable continuations of the hypotheses so far. Finished ones are
 * ranked by `logProb / ((5 + length) / 6)^α`, the length with the end (Wu et al., "Google's Neural Machine Translation
 * System", 2016, equation 14). Some are cut at the greatest length only where too few have ended.
 *
 * @param source one source, or several, which are decoded side by side.
 * @returns for each source `best` hypotheses, best first.
 */
export function beamSearch(
  model: Decodable,
  source: Source,
  options?: BeamSearchOptions,
): Promise<Hypothesis[]>;
export function beamSearch(
  model: Decodable,
  source: Sources,
  options?: BeamSearchOptions,
): Promise<Hypothesis[][]>;
export async function beamSearch(
  model: Decodable,
  source: Source | Sources,
  options: BeamSearchOptions = {},
): Promise<Hypothesis[] | Hypothesis[][]> {
  const fn = 'beamSearch';
  const { beams = 4, best = beams, lengthPenalty = 0.6, earlyStopping = false } = options;
  const check = (ok: boolean, name: string, expected: string, got: unknown) =>
    checkArgument(ok, fn, `options.${name}`, expected, got);
  check(Number.isInteger(beams) && beams >= 1, 'beams', 'an integer ≥ 1', beams);
  check(Number.isInteger(best) && best >= 1 && best <= beams, 'best', `an integer from 1 to ${beams}`, best);
  check(Number.isFinite(lengthPenalty), 'lengthPenalty', 'a number', lengthPenalty);
  const { batch, single } = sourceBatch(fn, source, model);
  const length = targetLength(fn, options.maxLength, batch.shape[1], model);
  const penalty = (tokens: number) => ((5 + tokens) / 6) ** lengthPenalty;
  const results = await inEvaluation(model, async () => {
    const session = new DecodingSession(model, batch, { length, beams });
    try {
      const { pad, start } = model.config;
      const searches = Array.from(
        { length: batch.shape[0] },
        (_, i) => new Search({ first: i * beams, beams, length, penalty, earlyStopping, ...model.config }),
      );
      for (let place = 0; place < length && searches.some(({ done }) => !done); place++) {
        const fed = new Int32Array(session.rows).fill(place === 0 ? start : pad);
        const parents = Int32Array.from(fed, (_, row) => row);
        for (const search of searches) search.feed(fed, parents);
        const logProbs = await session.next(fed, parents);
        for (const search of searches) search.advance(logProbs, logProbs.length / session.rows);
      }
      return searches.map((search) => search.results(best));
    } finally {
      session.dispose();
    }
  }).finally(() => batch.dispose());
  return single ? results[0]! : results;
}

interface Rules {
  /** Row of the first beam. */
  first: number;
  beams: number;
  length: number;
  penalty(tokens: number): number;
  earlyStopping: boolean;
  pad: number;
  start: number;
  end: number;
}

/** A hypothesis that goes on, and the row that its past is in. */
interface Beam {
  tokens: readonly number[];
  logProb: number;
  row: number;
}

/** The search for one source. Its beams are `beams` neighbouring rows. */
class Search {
  done = false;
  readonly #rules: Rules;
  #alive: Beam[];
  #finished: Hypothesis[] = [];

  constructor(rules: Rules) {
    this.#rules = rules;
    // All rows start alike: one of them counts.
    this.#alive = [{ tokens: [], logProb: 0, row: rules.first }];
  }

  /** Puts the last tokens into the rows, and each beam into a row of its own. */
  feed(fed: Int32Array, parents: Int32Array): void {
    if (this.done) return;
    for (const [i, beam] of this.#alive.entries()) {
      const row = this.#rules.first + i;
      parents[row] = beam.row;
      beam.row = row;
      const last = beam.tokens.at(-1);
      if (last !== undefined) fed[row] = last;
    }
  }

  /** Goes on by one token. `logProbs` are those of all rows. */
  advance(logProbs: Float32Array, vocab: number): void {
    if (this.done) return;
    const { beams, penalty, end, length } = this.#rules;
    const alive: Beam[] = [];
    // At most `beams` of twice as many can be ends, so that as many as there are beams go on. An end counts where it
    // is among the best `beams`: with one beam, where it is the most probable token.
    for (const [rank, { beam, token, logProb }] of this.#candidates(logProbs, vocab, 2 * beams).entries()) {
      const score = logProb / penalty(beam.tokens.length + 1);
      if (token === end) {
        if (rank < beams) this.#keep({ tokens: [...beam.tokens], logProb, score, finished: true });
      } else if (alive.length < beams)
        alive.push({ tokens: [...beam.tokens, token], logProb, row: beam.row });
    }
    this.#alive = alive;
    const count = alive[0]?.tokens.length ?? length;
    this.done = count >= length || alive.length === 0 || this.#isDecided(alive[0]!, count);
  }

  /** The best hypotheses, finished ones first. */
  results(best: number): Hypothesis[] {
    const cut = this.#alive.map(
      ({ tokens, logProb }): Hypothesis => ({
        tokens: [...tokens],
        logProb,
        score: logProb / this.#rules.penalty(tokens.length),
        finished: false,
      }),
    );
    return [...this.#finished, ...cut].slice(0, best);
  }

  #keep(hypothesis: Hypothesis): void {
    this.#finished.push(hypothesis);
    this.#finished.sort((a, b) => b.score - a.score);
    this.#finished.length = Math.min(this.#finished.length, this.#rules.beams);
  }

  #isDecided(best: Beam, count: number): boolean {
    const { beams, penalty, earlyStopping, length } = this.#rules;
    if (this.#finished.length < beams) return false;
    if (earlyStopping) return true;
    // Probability only falls, but the penalty may still change in either direction.
    const reachable = Math.max(best.logProb / penalty(count + 1), best.logProb / penalty(length));
    return this.#finished.at(-1)!.score >= reachable;
  }

  /** The most probable continuations, best first. Padding and start are none. */
  #candidates(logProbs: Float32Array, vocab: number, count: number) {
    const { pad, start } = this.#rules;
    const top: { beam: Beam; token: number; logProb: number }[] = [];
    for (const beam of this.#alive) {
      for (let token = 0; token < vocab; token++) {
        const logProb = beam.logProb + logProbs[beam.row * vocab + token]!;
        if (token === pad || token === start || logProb === -Infinity) continue;
        if (top.length === count && logProb <= top[count - 1]!.logProb) continue;
        if (top.length === count) top.pop();
        let at = top.length;
        while (at > 0 && top[at - 1]!.logProb < logProb) at--;
        top.splice(at, 0, { beam, token, logProb });
      }
    }
    return top;
  }
}
