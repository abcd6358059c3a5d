import { checkArgument } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

export interface NgramsOptions {
  /** Number of tokens. */
  vocab: number;
  /** Tokens of the longest n-grams, 2 or more. */
  longest: number;
  /** How often an n-gram has to come to be known. Default 4. */
  minCount?: number;
  /** What stands before and after a sequence, and fills up batches. Default 0. */
  pad?: number;
}

/**
 * The frequent n-grams around the tokens of some sequences, those of each size numbered from 1; 0 is any other one.
 *
 * An n-gram of size 2 is a token and the next one; size 3 has the one before it too, size 4 the next but one, and so on
 * to alternate sides. So they are a trie: a table for each size leads from an n-gram and one more token to the n-gram
 * that is longer by it.
 */
export class Ngrams {
  /** How many are known of size 2, 3, … */
  readonly counts: readonly number[];

  /**
   * @param tables of size 2, 3, …: at `n · vocab + token` the number of n-gram n, or token n, with one more token.
   * @throws ArgumentError for a table of another length than the one before it, or the vocabulary, demands.
   */
  constructor(
    readonly vocab: number,
    readonly tables: readonly Int32Array[],
    readonly pad = 0,
  ) {
    this.counts = tables.map((table) => table.reduce((most, n) => Math.max(most, n), 0));
    for (const [i, { length }] of tables.entries()) {
      const rows = i === 0 ? vocab : this.counts[i - 1]! + 1;
      checkArgument(length === rows * vocab, 'Ngrams', `tables[${i}]`, `${rows} · ${vocab} numbers`, length);
    }
  }

  /** Finds the frequent n-grams of sequences: of different ones, as each counts as often as it comes. */
  static of(sequences: readonly ArrayLike<number>[], options: NgramsOptions): Ngrams {
    const { vocab, longest, minCount, pad } = check(sequences, options);
    const tables: Int32Array[] = [];
    // Around each token of each sequence, the n-gram of the last size: at first the token.
    let around = sequences.map((sequence) => Int32Array.from(sequence));
    let rows = vocab;
    for (let size = 2; size <= longest; size++) {
      const table = new Int32Array(rows * vocab);
      // Where the table has the longer n-gram, or −1 where the shorter one is unknown.
      const entries = around.map((ngrams, i) =>
        ngrams.map((n, at) =>
          n === 0 && size > 2 ? -1 : n * vocab + (sequences[i]![at + reach(size)] ?? pad),
        ),
      );
      for (const entry of entries) for (const at of entry) if (at >= 0) table[at]! += 1;
      let known = 0;
      for (const [at, count] of table.entries()) table[at] = count >= minCount ? ++known : 0;
      around = entries.map((entry) => entry.map((at) => (at < 0 ? 0 : table[at]!)));
      tables.push(table);
      rows = known + 1;
    }
    return new Ngrams(vocab, tables, pad);
  }
}

/** Where the token stands that n-grams of a size have more than those before: 1, −1, 2, −2, … for 2, 3, 4, 5, … */
function reach(size: number): number {
  return size % 2 === 0 ? size / 2 : (1 - size) / 2;
}

/**
 * The numbers of the n-grams around each token, by size: 2, 3, …
 *
 * @param tokens int32 `[batch, seq]`.
 * @param tables those of `Ngrams`, as tensors.
 * @returns int32 `[batch, seq]` for each table. The caller owns them.
 */
export function ngramsAround(
  tokens: tf.Tensor2D,
  tables: readonly tf.Tensor[],
  { vocab, pad }: { vocab: number; pad: number },
): tf.Tensor2D[] {
  const seq = tokens.shape[1];
  const most = Math.ceil((tables.length + 1) / 2);
  return tf.tidy(() => {
    const padded = tf.pad(
      tokens,
      [
        [0, 0],
        [most, most],
      ],
      pad,
    ); // (B, most + S + most)
    let ngrams = tokens;
    return tables.map((table, i) => {
      const next = tf.slice(padded, [0, most + reach(i + 2)], [-1, seq]); // (B, S)
      const at = tf.add(tf.mul(ngrams, tf.scalar(vocab, 'int32')), next);
      ngrams = tf.gather(table, at) as tf.Tensor2D;
      return ngrams;
    });
  });
}

function check(sequences: readonly ArrayLike<number>[], options: NgramsOptions): Required<NgramsOptions> {
  const fn = 'Ngrams.of';
  const { vocab, longest, minCount = 4, pad = 0 } = options;
  const least = (name: string, value: number, bound: number) => {
    const ok = Number.isInteger(value) && value >= bound;
    checkArgument(ok, fn, `options.${name}`, `an integer ≥ ${bound}`, value);
  };
  least('vocab', vocab, 1);
  least('longest', longest, 2);
  least('minCount', minCount, 1);
  const tokens = (values: ArrayLike<number>, argument: string) => {
    const strange = Array.from(values).find((n) => !(Number.isInteger(n) && n >= 0 && n < vocab));
    checkArgument(strange === undefined, fn, argument, `tokens in [0, ${vocab})`, strange);
  };
  tokens([pad], 'options.pad');
  for (const [i, sequence] of sequences.entries()) tokens(sequence, `sequences[${i}]`);
  return { vocab, longest, minCount, pad };
}
