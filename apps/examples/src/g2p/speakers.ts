import { ExampleError } from '../errors';
import { type Pronunciation, Speaker } from './speaker';

/** Words decoded side by side: always as many, of like length, so that few programs are compiled. */
const SIDE_BY_SIDE = 64;
const LIKE_LENGTH = 8;

/**
 * Speakers that say words together, each trained by itself.
 *
 * Each proposes pronunciations, and all of them judge them all: `logProb` is the mean of what they find, so that the best
 * pronunciation is one that surprises none of them much. A model errs the more the further it has to go on from what it
 * has said itself; where some say the last phone first, both ends are judged by one that begins there (Liu et al.,
 * "Agreement on Target-bidirectional Neural Machine Translation", 2016). What it gains stands in `quality/README.md`.
 */
export class Speakers {
  readonly #speakers: readonly Speaker[];

  /** @throws ExampleError for speakers that know different letters or phones. */
  constructor(speakers: readonly Speaker[]) {
    const { alphabet } = speakers[0]!;
    if (!speakers.every((speaker) => speaker.alphabet.equals(alphabet))) {
      throw new ExampleError('models that say words together have to know the same letters and phones');
    }
    this.#speakers = speakers;
  }

  /** Loads what runs have saved. @throws ExampleError where there is nothing, or something else. */
  static async load(paths: readonly string[]): Promise<Speakers> {
    const speakers: Speaker[] = [];
    for (const path of paths) speakers.push(await Speaker.load(path));
    return new Speakers(speakers);
  }

  get parameters(): number {
    return this.#speakers.reduce((sum, { model }) => sum + model.parameterCount(), 0);
  }

  /**
   * The most probable pronunciations of each word, best first, as many as there are beams.
   * @throws ExampleError for a letter that is not of the alphabet.
   */
  async say(
    words: readonly string[],
    { beams, onProgress }: { beams: number; onProgress?: (done: number) => void },
  ): Promise<Map<string, Pronunciation[]>> {
    const said = new Map<string, Pronunciation[]>();
    const count = words.length === 1 ? 1 : SIDE_BY_SIDE;
    for (const group of ofLikeLength(words)) {
      for (let i = 0; i < group.length; i += count) {
        const some = group.slice(i, i + count);
        const filled = Array.from({ length: count }, (_, j) => some[j] ?? some[0]!);
        const found = await this.#agree(filled, beams);
        for (const [j, word] of some.entries()) said.set(word, found[j]!);
        onProgress?.(said.size);
      }
    }
    return said;
  }

  async #agree(words: readonly string[], beams: number): Promise<Pronunciation[][]> {
    const proposals: Pronunciation[][][] = [];
    for (const speaker of this.#speakers) proposals.push(await speaker.propose(words, { beams }));
    if (proposals.length === 1) return proposals[0]!;
    const pairs = words.flatMap((word, i) =>
      distinct(proposals.flatMap((proposal) => proposal[i]!)).map(({ phones }) => ({ i, word, phones })),
    );
    const sums = new Float64Array(pairs.length);
    for (const speaker of this.#speakers) {
      const verdict = await speaker.judge(pairs);
      for (const [j, logProb] of verdict.entries()) sums[j]! += logProb;
    }
    const found = words.map((): Pronunciation[] => []);
    for (const [j, { i, phones }] of pairs.entries()) {
      found[i]!.push({ phones, logProb: sums[j]! / this.#speakers.length });
    }
    return found.map((all) => all.sort((a, b) => b.logProb - a.logProb).slice(0, beams));
  }
}

function distinct(pronunciations: readonly Pronunciation[]): Pronunciation[] {
  return [...new Map(pronunciations.map((one) => [one.phones.join(' '), one])).values()];
}

function ofLikeLength(words: readonly string[]): Iterable<string[]> {
  const groups = new Map<number, string[]>();
  for (const word of words) {
    const size = Math.ceil([...word].length / LIKE_LENGTH);
    const group = groups.get(size);
    if (group) group.push(word);
    else groups.set(size, [word]);
  }
  return groups.values();
}
