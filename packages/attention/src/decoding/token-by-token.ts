import { checkArgument, hostUniform, randomKey } from '@poiesis/core';
import type { Decodable, Hypothesis } from './model';
import { DecodingSession, inEvaluation } from './session';
import { type Source, type Sources, sourceBatch, targetLength } from './sources';

export interface GreedyOptions {
  /** Most tokens of the target, end included. Default: twice the source's and 16. */
  maxLength?: number;
}

/**
 * Decodes with the most probable token at each place.
 *
 * @param source one source, or several, which are decoded side by side.
 * @returns one hypothesis for each source.
 */
export function greedy(model: Decodable, source: Source, options?: GreedyOptions): Promise<Hypothesis>;
export function greedy(model: Decodable, source: Sources, options?: GreedyOptions): Promise<Hypothesis[]>;
export function greedy(
  model: Decodable,
  source: Source | Sources,
  options: GreedyOptions = {},
): Promise<Hypothesis | Hypothesis[]> {
  return tokenByToken('greedy', model, source, options, (logProbs) => {
    let best = 0;
    for (let i = 1; i < logProbs.length; i++) if (logProbs[i]! > logProbs[best]!) best = i;
    return best;
  });
}

export interface SampleOptions extends GreedyOptions {
  /** Decides the draws: the same seed, weights and sources give the same. */
  seed: number;
  /** Divides the logits: below 1 draws more probable tokens, above 1 more even ones. Default 1. */
  temperature?: number;
  /** Draws among the so many most probable tokens. Default: all. */
  topK?: number;
  /** Draws among the fewest tokens that together have this probability. Default 1, all. */
  topP?: number;
}

/** Decodes by drawing each token with its probability. */
export function sample(model: Decodable, source: Source, options: SampleOptions): Promise<Hypothesis>;
export function sample(model: Decodable, source: Sources, options: SampleOptions): Promise<Hypothesis[]>;
export function sample(
  model: Decodable,
  source: Source | Sources,
  options: SampleOptions,
): Promise<Hypothesis | Hypothesis[]> {
  const { seed, temperature = 1, topK = Number.POSITIVE_INFINITY, topP = 1 } = options;
  const check = (ok: boolean, name: string, expected: string, got: unknown) =>
    checkArgument(ok, 'sample', `options.${name}`, expected, got);
  check(temperature > 0 && Number.isFinite(temperature), 'temperature', 'a number > 0', temperature);
  check(
    topK === Number.POSITIVE_INFINITY || (Number.isInteger(topK) && topK >= 1),
    'topK',
    'an integer ≥ 1',
    topK,
  );
  check(topP > 0 && topP <= 1, 'topP', 'a number in (0, 1]', topP);
  const key = randomKey(seed);
  return tokenByToken('sample', model, source, options, (logProbs, row, place) => {
    const [u] = hostUniform(key.fold(row).fold(place), 1);
    return draw(logProbs, u!, { temperature, topK, topP });
  });
}

/** The token at which the cumulated probability of the allowed ones, most probable first, passes `u` of their sum. */
export function draw(
  logProbs: ArrayLike<number>,
  u: number,
  { temperature, topK, topP }: { temperature: number; topK: number; topP: number },
): number {
  const order = Array.from(logProbs, (_, token) => token).filter((token) => logProbs[token]! > -Infinity);
  order.sort((a, b) => logProbs[b]! - logProbs[a]!);
  const top = logProbs[order[0]!]!;
  const masses = order.slice(0, topK).map((token) => Math.exp((logProbs[token]! - top) / temperature));
  const enough = masses.reduce((sum, mass) => sum + mass, 0) * topP;
  let kept = 0;
  let mass = 0;
  while (kept < masses.length && mass < enough) mass += masses[kept++]!;
  let passed = 0;
  for (let i = 0; i < kept; i++) {
    passed += masses[i]!;
    if (passed > u * mass) return order[i]!;
  }
  return order[kept - 1]!;
}

/** Decodes all sources side by side until each has ended. Padding and start are never chosen. */
async function tokenByToken(
  fn: string,
  model: Decodable,
  source: Source | Sources,
  { maxLength }: GreedyOptions,
  choose: (logProbs: Float32Array, row: number, place: number) => number,
): Promise<Hypothesis | Hypothesis[]> {
  const { batch, single } = sourceBatch(fn, source, model);
  const { pad, start, end } = model.config;
  const length = targetLength(fn, maxLength, batch.shape[1], model);
  const results = await inEvaluation(model, async () => {
    const session = new DecodingSession(model, batch, { length });
    try {
      const found = Array.from(
        { length: session.rows },
        (): Hypothesis => ({
          tokens: [],
          logProb: 0,
          score: 0,
          finished: false,
        }),
      );
      let fed = found.map(() => start);
      for (let place = 0; place < length && found.some(({ finished }) => !finished); place++) {
        const logProbs = await session.next(fed);
        const vocab = logProbs.length / session.rows;
        fed = found.map((hypothesis, row) => {
          if (hypothesis.finished) return pad;
          const own = logProbs.slice(row * vocab, (row + 1) * vocab);
          for (const token of [pad, start]) own[token] = -Infinity;
          const token = choose(own, row, place);
          hypothesis.logProb += own[token]!;
          hypothesis.score = hypothesis.logProb;
          if (token === end) hypothesis.finished = true;
          else hypothesis.tokens.push(token);
          return token;
        });
      }
      return found;
    } finally {
      session.dispose();
    }
  }).finally(() => batch.dispose());
  return single ? results[0]! : results;
}
