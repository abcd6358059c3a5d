import {
  type Buffer,
  buffer,
  checkArgument,
  dropoutMask,
  Embedding,
  embedding,
  type ForwardContext,
  type Ids,
  type Key,
  Linear,
  normalInit,
  type Parameter,
  parameter,
  type WeightOptions,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { type Ngrams, ngramsAround } from './ngrams';

export interface NgramEmbeddingOptions extends WeightOptions {
  /** Length of an n-gram's vector by its size, of one size at least: `{ 3: 64, 5: 32 }`. */
  widths: Readonly<Record<number, number>>;
  /** Share of the n-grams that training takes for unknown, and with each the longer ones around it. Default 0.1. */
  dropout?: number;
}

/**
 * An embedding of tokens that knows what stands around them: int32 `[batch, seq]` → `[batch, seq, dim]`.
 *
 * y = weight[token] + W · [ngrams₃[n-gram of size 3], ngrams₅[n-gram of size 5], …]. What is frequent, such as an ending
 * or a stem, has a vector of its own, at the price of a look-up instead of a layer; an unknown n-gram has zeros. It sees
 * what follows a token, so it is for encoders.
 *
 * After the n-gram embeddings of Pagnoni et al., "Byte Latent Transformer" (2024), section 3.2.1, with the frequent
 * n-grams instead of hashes, and around a token instead of before it.
 *
 * `weight` starts as `Embedding`'s, the n-grams' vectors at N(0, 0.02²).
 */
export class NgramEmbedding extends Embedding {
  /** Vectors of each size, `[known + 1, width]`: row 0, of unknown ones, stays zero. */
  readonly ngrams: Parameter<tf.Rank.R2>[];
  /** From the vectors of all sizes, side by side, to `dim`. No bias. */
  readonly projection: Linear;
  /** `Ngrams.tables`, so that a state dict tells what the rows mean. */
  readonly tables: Buffer<tf.Rank.R1>[];
  readonly #sizes: readonly number[];
  readonly #pad: number;
  readonly #dropout: number;

  /** @throws ArgumentError for widths of other sizes than `known` has, or of none. */
  constructor(known: Ngrams, dim: number, options: NgramEmbeddingOptions) {
    const { widths, dropout = 0.1, key, ...weights } = options;
    const sizes = checkWidths(widths, known.tables.length + 1);
    const [forTokens, forProjection, ...forSizes] = key.split(2 + sizes.length) as [Key, Key, ...Key[]];
    super(known.vocab, dim, { ...weights, key: forTokens });
    const share = dropout >= 0 && dropout < 1;
    checkArgument(share, FN, 'options.dropout', 'a number in [0, 1)', dropout);
    this.#sizes = sizes;
    this.#pad = known.pad;
    this.#dropout = dropout;
    this.ngrams = sizes.map((size, i) => vectors(known.counts[size - 2]!, widths[size]!, forSizes[i]!));
    const width = sizes.reduce((sum, size) => sum + widths[size]!, 0);
    this.projection = new Linear(width, dim, { key: forProjection, bias: false });
    this.tables = known.tables.map((table) => buffer(tf.tensor1d(table, 'int32')));
  }

  /**
   * @param tokens int32 `[batch, seq]`, a tensor.
   * @param context `key`: needed in training with a dropout above 0.
   * @returns `[batch, seq, dim]`. The caller owns it.
   */
  override forward(tokens: Ids, { key }: ForwardContext = {}): tf.Tensor {
    const fn = 'NgramEmbedding.forward';
    const drops = this.training && this.#dropout > 0;
    const expected = `a key, for a dropout of ${this.#dropout} in training`;
    checkArgument(key || !drops, fn, 'context.key', expected, key);
    const matrix = tokens instanceof tf.Tensor && tokens.rank === 2 && tokens.dtype === 'int32';
    checkArgument(matrix, fn, 'tokens', 'a tensor int32 [batch, seq]', tokens);
    const ids = tokens as tf.Tensor2D;
    return tf.tidy(() => {
      // First, as it checks the tokens.
      const own = super.forward(ids); // (B, S, dim)
      const vocab = this.weight.shape[0];
      const around = ngramsAround(ids, this.tables, { vocab, pad: this.#pad });
      const found = this.#sizes.map((size) => around[size - 2]!); // (B, S) each
      const rows = drops ? forget(found, this.#dropout, key!) : found;
      const vectors = rows.map((row, i) => embedding(row, this.ngrams[i]!, { paddingIdx: 0 }));
      return tf.add(own, this.projection.forward(tf.concat(vectors, -1))); // (B, S, dim)
    });
  }
}

const FN = 'NgramEmbedding';

/** Some n-grams as if they were unknown: what contains an unknown one is unknown too. */
function forget(rows: readonly tf.Tensor[], rate: number, key: Key): tf.Tensor[] {
  let kept: tf.Tensor = tf.scalar(1, 'int32');
  return rows.map((row, i) => {
    kept = tf.mul(kept, tf.cast(tf.greater(dropoutMask(key.fold(i), rate, row.shape), 0), 'int32'));
    return tf.mul(row, kept); // (B, S)
  });
}

function vectors(count: number, width: number, key: Key): Parameter<tf.Rank.R2> {
  return parameter(
    tf.tidy(() => {
      const known = normalInit({ std: 0.02 })(key, [count, width], { in: width, out: count });
      return tf.concat([tf.zeros([1, width]), known]) as tf.Tensor2D;
    }),
  );
}

/** The sizes that have a width, in order. */
function checkWidths(widths: Readonly<Record<number, number>>, longest: number): number[] {
  const sizes = Object.keys(widths)
    .map(Number)
    .sort((a, b) => a - b);
  checkArgument(sizes.length > 0, FN, 'options.widths', 'one size at least', widths);
  for (const size of sizes) {
    const inside = Number.isInteger(size) && size >= 2 && size <= longest;
    checkArgument(inside, FN, 'options.widths', `sizes from 2 to ${longest}`, size);
    const width = widths[size]!;
    const whole = Number.isInteger(width) && width >= 1;
    checkArgument(whole, FN, `options.widths[${size}]`, 'an integer ≥ 1', width);
  }
  return sizes;
}
