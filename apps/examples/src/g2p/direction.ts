import { beamSearch, padTokens, shiftTarget, type Transformer } from '@poiesis/attention';
import { compile, crossEntropy } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { Ensemble } from './ensemble';

/** A pronunciation as tokens, from its first phone to its last, and the natural logarithm of its probability. */
export interface Candidate {
  tokens: readonly number[];
  logProb: number;
}

/** Pronunciations judged side by side: always as many, and lengths in multiples, so that few programs are compiled. */
const SIDE_BY_SIDE = 64;
const MULTIPLE = 8;

/** The models that say phones in the same order. */
export class Direction {
  readonly #ensemble: Ensemble;
  readonly #backwards: boolean;
  readonly #logProbs: (source: tf.Tensor2D, target: tf.Tensor2D) => tf.Tensor1D;

  /** @param backwards whether they say the last phone first. */
  constructor(models: readonly Transformer[], { backwards }: { backwards: boolean }) {
    const ensemble = new Ensemble(models);
    const { pad } = ensemble.config;
    this.#ensemble = ensemble;
    this.#backwards = backwards;
    this.#logProbs = compile(
      (source: tf.Tensor2D, target: tf.Tensor2D) => {
        const { input, expected } = shiftTarget(target);
        const logProbs = ensemble.forward(source, input); // (B, T, vocab)
        const losses = crossEntropy(logProbs, expected, { ignoreIndex: pad, reduction: 'none' }); // (B, T)
        return tf.neg(tf.sum(losses, 1)) as tf.Tensor1D;
      },
      { name: 'g2p: judge', constants: Object.values(ensemble.namedParameters()) },
    );
  }

  get parameters(): number {
    return this.#ensemble.parameterCount();
  }

  /** What each word may sound like, best first. */
  async propose(words: readonly number[][], { beams }: { beams: number }): Promise<Candidate[][]> {
    const found = await beamSearch(this.#ensemble, words, { beams, lengthPenalty: 0 });
    return found.map((hypotheses) =>
      hypotheses.map(({ tokens, logProb }) => ({ tokens: this.#turned(tokens), logProb })),
    );
  }

  /** How probable it is, as a natural logarithm, that a word sounds so. */
  async judge(pairs: readonly { word: readonly number[]; tokens: readonly number[] }[]): Promise<number[]> {
    const { pad, start, end } = this.#ensemble.config;
    const padded = (rows: readonly (readonly number[])[]) => {
      const longest = Math.max(...rows.map(({ length }) => length));
      return padTokens(rows, { pad, length: Math.ceil(longest / MULTIPLE) * MULTIPLE });
    };
    const judged: number[] = [];
    for (let i = 0; i < pairs.length; i += SIDE_BY_SIDE) {
      const some = Array.from({ length: SIDE_BY_SIDE }, (_, j) => pairs[i + j] ?? pairs[i]!);
      const source = padded(some.map(({ word }) => word));
      const target = padded(some.map(({ tokens }) => [start, ...this.#turned(tokens), end]));
      const logProbs = this.#logProbs(source, target);
      judged.push(...(await logProbs.data()));
      tf.dispose([source, target, logProbs]);
    }
    return judged.slice(0, pairs.length);
  }

  #turned(tokens: readonly number[]): readonly number[] {
    return this.#backwards ? tokens.toReversed() : tokens;
  }
}
