import type { TokenEmbedding } from '@poiesis/attention';
import {
  type Buffer,
  buffer,
  Embedding,
  type ForwardContext,
  type Ids,
  Module,
  type WeightOptions,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Analogies } from './analogies';
import { divided } from './divided';

/** A token is an int32. */
const LARGEST = 2 ** 31;

/**
 * Letters and what is known of them by analogy, as one token each: `letter + letters · (part₁ + kinds · (part₂ + …))`.
 */
export class AnalogyTokens {
  /** @param letters number of letters' tokens. */
  constructor(
    readonly letters: number,
    readonly analogies: Analogies,
  ) {}

  /** The greatest number of a part that tokens of `letters` letters have room for, with `count` words at each end. */
  static mostParts(letters: number, count: number): number {
    return Math.floor((LARGEST / letters) ** (1 / (2 * count))) - 1;
  }

  /** Number of different tokens. */
  get vocab(): number {
    const { kinds, count } = this.analogies;
    return this.letters * kinds ** (2 * count);
  }

  of(word: readonly number[]): number[] {
    const { kinds } = this.analogies;
    const known = this.analogies.of(word);
    return word.map(
      (letter, i) => letter + this.letters * known.reduceRight((rest, parts) => parts[i]! + kinds * rest, 0),
    );
  }

  /** Letters, and parts of each word that was looked up; int32 in the tokens' shape. The caller owns them. */
  read(tokens: tf.Tensor): { letters: tf.Tensor; parts: tf.Tensor[] } {
    return tf.tidy(() => {
      const { kinds, count } = this.analogies;
      const [packed, letters] = divided(tokens, this.letters);
      let rest = packed;
      const parts = Array.from({ length: 2 * count }, () => {
        const [next, part] = divided(rest, kinds);
        rest = next;
        return part;
      });
      return { letters, parts };
    });
  }
}

/**
 * Letters with what they sound as in words of the like: int32 `[batch, seq]` of `AnalogyTokens` → `[batch, seq, dim]`.
 *
 * y = letters(letter) + known₁(letter, part₁) + known₂(letter, part₂) + …
 */
export class AnalogyEmbedding extends Module implements TokenEmbedding {
  /** Of each word that is looked up, a vector for each part of each letter: at `part · letters + letter`. */
  readonly known: Embedding[];
  /** `letters` and `parts` of `Analogies`: a state dict has them, for what is learned of parts has no meaning without. */
  readonly words: Buffer<tf.Rank.R1>;
  readonly parts: Buffer<tf.Rank.R1>;
  readonly #tokens: AnalogyTokens;

  constructor(
    readonly letters: TokenEmbedding,
    tokens: AnalogyTokens,
    dim: number,
    { key, ...options }: WeightOptions,
  ) {
    super();
    const { kinds, count } = tokens.analogies;
    const rows = kinds * tokens.letters;
    this.#tokens = tokens;
    this.known = key.split(2 * count).map((key) => new Embedding(rows, dim, { ...options, key }));
    this.words = buffer(tf.tensor1d(tokens.analogies.letters, 'int32'));
    this.parts = buffer(tf.tensor1d(tokens.analogies.parts, 'int32'));
  }

  /** @returns `[batch, seq, dim]`. The caller owns it. */
  forward(tokens: Ids, context: ForwardContext = {}): tf.Tensor {
    return tf.tidy(() => {
      const { letters, parts } = this.#tokens.read(tokens as tf.Tensor2D);
      const row = (part: tf.Tensor) =>
        tf.add(tf.mul(part, tf.scalar(this.#tokens.letters, 'int32')), letters);
      const known = parts.map((part, i) => this.known[i]!.forward(row(part) as Ids));
      return known.reduce((sum, x) => tf.add(sum, x), this.letters.forward(letters as Ids, context)); // (B, S, dim)
    });
  }
}
