import type { TokenEmbedding } from '@poiesis/attention';
import {
  type Buffer,
  buffer,
  Embedding,
  type ForwardContext,
  type Ids,
  type Key,
  Module,
  type WeightOptions,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Analogies } from './analogies';

/** Letters and what is known of them by analogy as one token each: `letter + letters · (beginning + kinds · ending)`. */
export class AnalogyTokens {
  /** @param letters number of letters' tokens. */
  constructor(
    readonly letters: number,
    readonly analogies: Analogies,
  ) {}

  /** Number of different tokens. */
  get vocab(): number {
    return this.letters * this.analogies.kinds ** 2;
  }

  of(word: readonly number[]): number[] {
    const { kinds } = this.analogies;
    const { beginning, ending } = this.analogies.of(word);
    return word.map((letter, i) => letter + this.letters * (beginning[i]! + kinds * ending[i]!));
  }

  /** Letters and parts, each int32 in the tokens' shape. The caller owns them. */
  read(tokens: tf.Tensor): Record<'letters' | 'beginning' | 'ending', tf.Tensor> {
    return tf.tidy(() => {
      const letters = tf.scalar(this.letters, 'int32');
      const kinds = tf.scalar(this.analogies.kinds, 'int32');
      const parts = tf.floorDiv(tokens, letters);
      return {
        letters: tf.mod(tokens, letters),
        beginning: tf.mod(parts, kinds),
        ending: tf.floorDiv(parts, kinds),
      };
    });
  }
}

/**
 * Letters with what they sound as in words of the like: int32 `[batch, seq]` of `AnalogyTokens` → `[batch, seq, dim]`.
 *
 * y = letters(letter) + beginning(part) + ending(part).
 */
export class AnalogyEmbedding extends Module implements TokenEmbedding {
  readonly beginning: Embedding;
  readonly ending: Embedding;
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
    const { kinds } = tokens.analogies;
    const [forBeginning, forEnding] = key.split(2) as [Key, Key];
    this.#tokens = tokens;
    this.beginning = new Embedding(kinds, dim, { ...options, key: forBeginning });
    this.ending = new Embedding(kinds, dim, { ...options, key: forEnding });
    this.words = buffer(tf.tensor1d(tokens.analogies.letters, 'int32'));
    this.parts = buffer(tf.tensor1d(tokens.analogies.parts, 'int32'));
  }

  /** @returns `[batch, seq, dim]`. The caller owns it. */
  forward(tokens: Ids, context: ForwardContext = {}): tf.Tensor {
    return tf.tidy(() => {
      const { letters, beginning, ending } = this.#tokens.read(tokens as tf.Tensor2D);
      const known = tf.add(this.beginning.forward(beginning as Ids), this.ending.forward(ending as Ids));
      return tf.add(this.letters.forward(letters as Ids, context), known); // (B, S, dim)
    });
  }
}
