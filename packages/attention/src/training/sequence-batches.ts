import {
  type Cursor,
  checkArgument,
  type PlacedBatch,
  permutation,
  randomKey,
  type SeekableBatches,
} from '@poiesis/core';
import { checkTokens, padTokens } from '../transformer/tokens';
import type { SequenceBatch } from './batch';

/** A source and its target, without start, end and padding. */
export interface SequencePair {
  readonly source: ArrayLike<number>;
  readonly target: ArrayLike<number>;
  /** Of each source token a label, for a loss of the encoder's own. All pairs have them, or none. */
  readonly labels?: ArrayLike<number>;
}

export interface SequenceBatchesOptions {
  /** Special tokens, and vocabularies to check against: `{ ...model.config, tokens: 4096 }` has them. */
  pad: number;
  start: number;
  end: number;
  sourceVocab?: number;
  targetVocab?: number;
  /** Tokens in a batch on each side, padding included: short sequences come in larger batches. Or `rows`. */
  tokens?: number;
  /** Pairs in a batch, whatever their length. */
  rows?: number;
  /**
   * Lengths that pairs are filled up to; each batch is of one of them, so there are as many shapes, and as many
   * compiled programs. The target counts with its end. Default 8, 12, 16, 24, 32, 48, … as far as is needed.
   */
  lengths?: readonly number[];
  /** A new order in each epoch. Default true. */
  shuffle?: boolean;
  /** Decides the order. Default 0. */
  seed?: number;
  /** Leaves out batches that are not full, instead of filling them with rows of padding. Default false. */
  dropLast?: boolean;
}

interface Bucket {
  length: number;
  rows: number;
  count: number;
}

/**
 * Batches of pairs of like length, for `train()`: `new SequenceBatches(pairs, { ...model.config, tokens: 4096, seed: 1 })`.
 *
 * Batches of one length have one shape, `[rows, length]` and `[rows, length + 1]` with start and end; one that is not
 * full, at the end of an epoch, has rows of padding, which the loss leaves out. The order of epoch `e` is
 * `permutation(randomKey(seed).fold(e), pairs)`, so training resumes anywhere.
 *
 * @throws ArgumentError for no pairs, empty sources, pairs that no length holds, and tokens out of vocabulary.
 */
export class SequenceBatches implements SeekableBatches<SequenceBatch>, AsyncIterable<SequenceBatch> {
  readonly #pairs: readonly SequencePair[];
  readonly #options: SequenceBatchesOptions;
  readonly #buckets: readonly Bucket[];
  /** Bucket of each pair. */
  readonly #places: Uint16Array;
  #epochs = 0;

  constructor(pairs: readonly SequencePair[], options: SequenceBatchesOptions) {
    const { tokens, rows, sourceVocab = Infinity, targetVocab = Infinity } = options;
    const check = (ok: boolean, name: string, expected: string, got: unknown) =>
      checkArgument(ok, FN, name, expected, got);
    check(pairs.length > 0, 'pairs', 'at least one', pairs.length);
    const one = (tokens === undefined) !== (rows === undefined);
    check(one, 'options.tokens', 'either tokens or rows', [tokens, rows]);
    for (const [name, value] of Object.entries({ tokens, rows })) {
      const ok = value === undefined || (Number.isInteger(value) && value >= 1);
      check(ok, `options.${name}`, 'an integer ≥ 1', value);
    }
    const { pad, start, end } = options;
    for (const [name, token] of Object.entries({ pad, start, end })) {
      const ok = Number.isInteger(token) && token >= 0 && token < targetVocab;
      check(
        ok,
        `options.${name}`,
        targetVocab < Infinity ? `a token in [0, ${targetVocab})` : 'a token ≥ 0',
        token,
      );
    }
    const needed = pairs.map(({ source, target, labels }, i) => {
      check(source.length > 0, `pairs[${i}].source`, 'at least one token', 'none');
      checkTokens(FN, `pairs[${i}].source`, source, sourceVocab);
      checkTokens(FN, `pairs[${i}].target`, target, targetVocab);
      const labelled = pairs[0]!.labels ? source.length : undefined;
      check(labels?.length === labelled, `pairs[${i}].labels`, `${labelled ?? 'no'} labels`, labels?.length);
      return Math.max(source.length, target.length + 1);
    });
    const lengths = lengthsOf(options.lengths, largest(needed));
    this.#buckets = lengths.map((length) => ({
      length,
      rows: rows ?? Math.max(1, Math.floor(tokens! / length)),
      count: 0,
    }));
    this.#places = Uint16Array.from(needed, (length, i) => {
      const place = lengths.findIndex((most) => length <= most);
      check(place >= 0, `pairs[${i}]`, `at most ${lengths.at(-1)} tokens`, `${length} tokens`);
      this.#buckets[place]!.count += 1;
      return place;
    });
    this.#pairs = pairs;
    this.#options = options;
  }

  /** Batches in an epoch. */
  get length(): number {
    const whole = this.#options.dropLast ? Math.floor : Math.ceil;
    return this.#buckets.reduce((sum, { count, rows }) => sum + whole(count / rows), 0);
  }

  /** The shapes that occur, as `[rows, length]`. */
  get shapes(): [rows: number, length: number][] {
    return this.#buckets.filter(({ count }) => count > 0).map(({ rows, length }) => [rows, length]);
  }

  /** Each loop is one epoch: the first loop the first, the next loop the next. */
  async *[Symbol.asyncIterator](): AsyncGenerator<SequenceBatch, void, undefined> {
    for (const pairs of this.#epoch(this.#epochs++)) yield this.#made(pairs);
  }

  /** Batches without end, epoch after epoch, from a cursor on; `cursor.index` counts batches. */
  async *batches({
    from = { epoch: 0, index: 0 },
  }: {
    from?: Cursor;
  } = {}): AsyncGenerator<PlacedBatch<SequenceBatch>, void, undefined> {
    const some = this.length > 0;
    checkArgument(some, FN, 'pairs', 'enough for one full batch', this.#pairs.length);
    for (let epoch = from.epoch, skip = from.index; ; epoch++, skip = 0) {
      let index = 0;
      for (const pairs of this.#epoch(epoch)) {
        index += 1;
        if (index <= skip) continue;
        const cursor = index === this.length ? { epoch: epoch + 1, index: 0 } : { epoch, index };
        yield { batch: this.#made(pairs), epoch, cursor };
      }
    }
  }

  /** The pairs of each batch of an epoch: a batch comes as soon as it is full, the others at the end. */
  *#epoch(epoch: number): Generator<{ bucket: Bucket; pairs: SequencePair[] }> {
    const { shuffle = true, seed = 0, dropLast = false } = this.#options;
    const { length } = this.#pairs;
    const order = shuffle
      ? permutation(randomKey(seed).fold(epoch), length)
      : Int32Array.from({ length }, (_, i) => i);
    const waiting = this.#buckets.map((): SequencePair[] => []);
    for (const i of order) {
      const place = this.#places[i]!;
      const bucket = this.#buckets[place]!;
      waiting[place]!.push(this.#pairs[i]!);
      if (waiting[place]!.length === bucket.rows) yield { bucket, pairs: waiting[place]!.splice(0) };
    }
    if (dropLast) return;
    for (const [place, pairs] of waiting.entries()) {
      if (pairs.length > 0) yield { bucket: this.#buckets[place]!, pairs };
    }
  }

  #made({ bucket, pairs }: { bucket: Bucket; pairs: SequencePair[] }): SequenceBatch {
    const { pad, start, end } = this.#options;
    const { length, rows } = bucket;
    const filled = <T>(list: T[], filler: T) => [
      ...list,
      ...Array.from({ length: rows - list.length }, () => filler),
    ];
    const sources = pairs.map(({ source }) => source);
    const targets = pairs.map(({ target }) => [start, ...Array.from(target), end]);
    const labels = pairs.flatMap(({ labels }) => (labels ? [labels] : []));
    return {
      source: padTokens(filled(sources, [pad]), { pad, length }),
      target: padTokens(filled(targets, [pad]), { pad, length: length + 1 }),
      ...(labels.length > 0 && { labels: padTokens(filled(labels, [pad]), { pad, length }) }),
    };
  }
}

const FN = 'SequenceBatches';

/** Pairs may be more than a call takes arguments. */
function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, n) => Math.max(most, n), 0);
}

function lengthsOf(given: readonly number[] | undefined, longest: number): number[] {
  if (!given) {
    const lengths = [8];
    // 8, 12, 16, 24, 32, 48, …: half as much again, then a third.
    while (lengths.at(-1)! < longest) {
      const last = lengths.at(-1)!;
      lengths.push(Number.isInteger(Math.log2(last)) ? last * 1.5 : (last * 4) / 3);
    }
    return lengths;
  }
  const rising = given.every((n, i) => Number.isInteger(n) && n > (given[i - 1] ?? 0));
  checkArgument(given.length > 0 && rising, FN, 'options.lengths', 'rising integers > 0', given);
  return [...given];
}
