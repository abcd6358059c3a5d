import { ExampleError } from '../errors';
import type { Alphabet } from './alphabet';
import { type Candidate, Direction } from './direction';
import { Speaker } from './speaker';

/** A pronunciation and the natural logarithm of its probability. */
export interface Pronunciation {
  phones: string[];
  logProb: number;
}

/** Words decoded side by side: always as many, of like length, so that few programs are compiled. */
const SIDE_BY_SIDE = 64;
const LIKE_LENGTH = 8;

/**
 * Speakers that say words together, one or several, each trained by itself.
 *
 * Those of one direction decode as one. Where some say the last phone first, each direction proposes pronunciations and
 * both judge them all: `logProb` is then the mean of both. A model errs the more the further it has to go on from what
 * it has said itself, and there the other direction begins (Liu et al., "Agreement on Target-bidirectional Neural
 * Machine Translation", 2016).
 */
export class Speakers {
  readonly #alphabet: Alphabet;
  readonly #first: Speaker;
  readonly #directions: readonly Direction[];

  /** @throws ExampleError for speakers that know different letters or phones. */
  constructor(speakers: readonly Speaker[]) {
    const { alphabet } = speakers[0]!;
    if (!speakers.every((speaker) => speaker.alphabet.equals(alphabet))) {
      throw new ExampleError('models that say words together have to know the same letters and phones');
    }
    this.#alphabet = alphabet;
    this.#first = speakers[0]!;
    this.#directions = [false, true].flatMap((backwards) => {
      const some = speakers.filter((speaker) => speaker.backwards === backwards);
      const models = some.map(({ model }) => model);
      return models.length === 0 ? [] : [new Direction(models, { backwards })];
    });
  }

  /** Loads what runs have saved. @throws ExampleError where there is nothing, or something else. */
  static async load(paths: readonly string[]): Promise<Speakers> {
    const speakers: Speaker[] = [];
    for (const path of paths) speakers.push(await Speaker.load(path));
    return new Speakers(speakers);
  }

  get parameters(): number {
    return this.#directions.reduce((sum, { parameters }) => sum + parameters, 0);
  }

  /**
   * The most probable pronunciations of each word, best first.
   * @throws ExampleError for a letter that is not of the alphabet.
   */
  async say(
    words: readonly string[],
    { beams, onProgress }: { beams: number; onProgress?: (done: number) => void },
  ): Promise<Map<string, Pronunciation[]>> {
    const said = new Map<string, Pronunciation[]>();
    const sources = words.map((word) => ({ word, tokens: this.#first.spell(word) }));
    const count = words.length === 1 ? 1 : SIDE_BY_SIDE;
    for (const group of ofLikeLength(sources)) {
      for (let i = 0; i < group.length; i += count) {
        const some = group.slice(i, i + count);
        const filled = Array.from({ length: count }, (_, j) => (some[j] ?? some[0]!).tokens);
        const found = await this.#agreed(filled, beams);
        for (const [j, { word }] of some.entries()) {
          const spoken = found[j]!.map(({ tokens, logProb }) => ({
            phones: this.#alphabet.read(tokens),
            logProb,
          }));
          said.set(word, spoken);
        }
        onProgress?.(said.size);
      }
    }
    return said;
  }

  /** For each word, as tokens, what all directions find best. */
  async #agreed(words: readonly number[][], beams: number): Promise<Candidate[][]> {
    const proposals: Candidate[][][] = [];
    for (const direction of this.#directions) proposals.push(await direction.propose(words, { beams }));
    if (proposals.length === 1) return proposals[0]!;
    const pairs = words.flatMap((word, i) =>
      distinct(proposals.flatMap((proposal) => proposal[i]!)).map(({ tokens }) => ({ i, word, tokens })),
    );
    const verdicts: number[][] = [];
    for (const direction of this.#directions) verdicts.push(await direction.judge(pairs));
    const found = words.map((): Candidate[] => []);
    for (const [j, { i, tokens }] of pairs.entries()) {
      const sum = verdicts.reduce((sum, verdict) => sum + verdict[j]!, 0);
      found[i]!.push({ tokens, logProb: sum / verdicts.length });
    }
    return found.map((candidates) => candidates.sort((a, b) => b.logProb - a.logProb).slice(0, beams));
  }
}

function distinct(candidates: readonly Candidate[]): Candidate[] {
  return [...new Map(candidates.map((candidate) => [candidate.tokens.join(' '), candidate])).values()];
}

function ofLikeLength<T extends { tokens: readonly number[] }>(sources: readonly T[]): Iterable<T[]> {
  const groups = new Map<number, T[]>();
  for (const source of sources) {
    const size = Math.ceil(source.tokens.length / LIKE_LENGTH);
    const group = groups.get(size);
    if (group) group.push(source);
    else groups.set(size, [source]);
  }
  return groups.values();
}
