import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';
import { randomKey } from '../random';
import { collateHost, toTensors } from './collate';
import { type AnyDataset, type Dataset, type IterableDataset, randomAccess, walkable } from './dataset';
import { type BatchPlan, type Cursor, type PlanOptions, planIndexed, planWalk } from './plan';
import { type Prepared, prefetched } from './prefetch';
import type { Collated } from './sample';

export interface DataLoaderOptions<S, B> {
  /** Samples in a batch. */
  batchSize: number;
  /**
   * A new random order in each epoch (default false). A dataset that can only be walked is shuffled within a window
   * of as many samples: `{ window: 10_000 }`.
   */
  shuffle?: boolean | { window: number };
  /** Decides the order of every epoch, and the keys of augmentations. Default 0. */
  seed?: number;
  /** Leaves out an epoch's last batch where it is smaller than `batchSize`. Default false. */
  dropLast?: boolean;
  /**
   * Makes a batch of samples, instead of `collate`. It is called ahead of time, once for each batch; `indices` are the
   * samples' places in the dataset. Tensors in what it returns (directly or in records and arrays) go to the consumer,
   * and are disposed here where a batch is never delivered.
   */
  collate?: (samples: readonly S[], indices: ArrayLike<number>) => B | Promise<B>;
  /** Batches prepared ahead of the one in use. Default 2. */
  prefetch?: number;
  /** Reads of an asynchronous dataset under way at a time, for each batch in preparation. Default 32. */
  concurrency?: number;
}

/** A batch of the endless sequence. */
export interface LoadedBatch<B> {
  /** Its tensors belong to the consumer. */
  batch: B;
  epoch: number;
  /** Samples of the epoch before this batch. */
  index: number;
  /** Where the next batch starts: pass it as `from` to go on there. */
  cursor: Cursor;
}

/**
 * Batches of a dataset: `new DataLoader(mnist({ images, labels }), { batchSize: 64, shuffle: true, seed: 1 })`.
 *
 * Tensors are made when a batch is handed over and belong to whoever takes it (`train()` disposes each after its
 * step); what is prepared ahead is host memory. Leaving a loop early leaves nothing behind.
 *
 * The order of epoch `e` is `permutation(randomKey(seed).fold(e), length)`, a function of the seed and nothing else,
 * so `batches({ from: cursor })` goes on in the middle of an epoch as if it had never stopped.
 *
 * @throws ArgumentError for wrong options, an empty dataset, samples of unlike shapes. What the dataset throws comes
 *   out of the loop in place of the batch.
 */
export class DataLoader<S, B = Collated<S>> implements AsyncIterable<B> {
  readonly batchSize: number;
  readonly seed: number;
  readonly #source: { indexed: Dataset<S> } | { walk: IterableDataset<S> };
  readonly #options: DataLoaderOptions<S, B>;
  readonly #window: number;
  #epochs = 0;

  constructor(dataset: AnyDataset<S>, options: DataLoaderOptions<S, B>) {
    checkOptions(options);
    const indexed = randomAccess(dataset);
    const { shuffle = false } = options;
    const windowed = typeof shuffle === 'object';
    checkArgument(
      indexed ? !windowed : shuffle !== true,
      'DataLoader',
      'options.shuffle',
      indexed
        ? 'true or false for a dataset with random access'
        : '{ window } for a dataset that can only be walked',
      shuffle,
    );
    this.#source = indexed ? { indexed } : { walk: walkable('DataLoader', dataset) };
    this.#options = { ...options };
    this.#window = windowed ? shuffle.window : 0;
    this.batchSize = options.batchSize;
    this.seed = options.seed ?? 0;
  }

  /** Batches in an epoch; undefined for a dataset that can only be walked. */
  get length(): number | undefined {
    if (!('indexed' in this.#source)) return undefined;
    const batches = this.#source.indexed.length / this.batchSize;
    return this.#options.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** Each loop is one epoch: the first loop the first, the next loop the next, in its own order. */
  [Symbol.asyncIterator](): AsyncIterator<B> {
    return this.epoch(this.#epochs++);
  }

  /** The batches of epoch number `epoch`, counted from 0. */
  async *epoch(epoch: number): AsyncGenerator<B, void, undefined> {
    for await (const { batch } of this.#run({ epoch, index: 0 }, false)) yield batch;
  }

  /**
   * Batches without end, epoch after epoch, from a cursor on (by default from the start).
   * Batches are prepared across the ends of epochs.
   */
  batches({
    from = { epoch: 0, index: 0 },
  }: {
    from?: Cursor;
  } = {}): AsyncGenerator<LoadedBatch<B>, void, undefined> {
    return this.#run(from, true);
  }

  #run(from: Cursor, endless: boolean): AsyncGenerator<LoadedBatch<B>, void, undefined> {
    for (const part of ['epoch', 'index'] as const) {
      const value = from[part];
      checkArgument(
        Number.isSafeInteger(value) && value >= 0,
        'DataLoader',
        `from.${part}`,
        'an integer ≥ 0',
        value,
      );
    }
    const { batchSize, dropLast = false, shuffle = false, prefetch = 2, concurrency = 32 } = this.#options;
    const key = randomKey(this.seed);
    const options: PlanOptions = {
      batchSize,
      dropLast,
      from: { ...from },
      endless,
      shuffle: shuffle ? key : undefined,
      // A stream of its own: `key.fold(e)` draws the order of epoch `e`.
      access: key.split(1)[0]!,
      concurrency,
    };
    const plans =
      'indexed' in this.#source
        ? planIndexed(this.#source.indexed, options)
        : planWalk(this.#source.walk, this.#window, options);
    const start = async () => {
      const plan = await plans.next();
      return plan.done ? null : this.#prepare(plan.value);
    };
    return prefetched(start, prefetch, () => plans.return(undefined));
  }

  async #prepare(plan: BatchPlan<S>): Promise<Prepared<LoadedBatch<B>>> {
    const samples = await plan.load();
    const { epoch, index } = plan.at;
    const loaded = (batch: B): LoadedBatch<B> => ({ batch, epoch, index, cursor: plan.next });
    if (this.#options.collate) {
      const batch = await this.#options.collate(samples, plan.indices);
      return { deliver: () => loaded(batch), drop: () => tf.dispose(batch as tf.TensorContainer) };
    }
    const host = collateHost(samples, plan.indices);
    return { deliver: () => loaded(toTensors(host) as B), drop: () => {} };
  }
}

function checkOptions<S, B>(options: DataLoaderOptions<S, B>): void {
  const check = (ok: boolean, name: string, expected: string, received: unknown) =>
    checkArgument(ok, 'DataLoader', `options.${name}`, expected, received);
  const { batchSize, shuffle = false, seed = 0, collate, prefetch = 2, concurrency = 32 } = options;
  check(Number.isInteger(batchSize) && batchSize > 0, 'batchSize', 'a positive integer', batchSize);
  check(Number.isSafeInteger(seed), 'seed', 'a safe integer', seed);
  check(collate === undefined || typeof collate === 'function', 'collate', 'a function', collate);
  check(Number.isInteger(prefetch) && prefetch >= 0, 'prefetch', 'an integer ≥ 0', prefetch);
  check(Number.isInteger(concurrency) && concurrency > 0, 'concurrency', 'a positive integer', concurrency);
  if (typeof shuffle === 'object') {
    const { window } = shuffle;
    check(Number.isInteger(window) && window > 0, 'shuffle.window', 'a positive integer', window);
  }
}
