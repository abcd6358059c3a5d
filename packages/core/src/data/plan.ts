import { checkArgument } from '../errors';
import { type Key, permutation } from '../random';
import { type Dataset, type IterableDataset, isPromise } from './dataset';
import { windowShuffle } from './window-shuffle';

/** A place in the endless sequence of epochs: where the next batch starts. All that a resume needs. */
export interface Cursor {
  /** Epochs done. */
  epoch: number;
  /** Samples of this epoch that were used, in the order of its shuffling. */
  index: number;
}

/** One batch to be: where it starts, where the next one does, and how to get its samples. */
export interface BatchPlan<S> {
  at: Cursor;
  next: Cursor;
  load(): Promise<readonly S[]> | readonly S[];
  /** What error messages call the samples. */
  indices: ArrayLike<number>;
}

export interface PlanOptions {
  batchSize: number;
  dropLast: boolean;
  from: Cursor;
  /** One epoch, or one after the other without end. */
  endless: boolean;
  /** Key of the whole run; an epoch's is `key.fold(epoch)`. Undefined: no shuffling. */
  shuffle: Key | undefined;
  /** Key from which each access gets its own, of (epoch, index). */
  access: Key;
  concurrency: number;
}

/** Batches of a dataset with random access. Any of them can be loaded at any time. */
export function* planIndexed<S>(dataset: Dataset<S>, options: PlanOptions): Generator<BatchPlan<S>, void> {
  const { batchSize, dropLast, from, endless, shuffle, access, concurrency } = options;
  const length = dataset.length;
  const usable = dropLast ? length - (length % batchSize) : length;
  checkArgument(
    from.index <= length,
    'DataLoader',
    'from.index',
    `at most ${length}, the length of the dataset (is it the one that the cursor is from?)`,
    from.index,
  );
  checkArgument(usable > 0 || !endless, 'DataLoader', 'dataset', 'enough samples for one batch', length);
  for (let epoch = from.epoch, start = from.index; ; epoch++, start = 0) {
    const order = shuffle ? permutation(shuffle.fold(epoch), length) : undefined;
    const accessKey = access.fold(epoch);
    for (let index = start; index < usable; index += batchSize) {
      // A cursor that is no multiple of the batch size (it was changed) shifts the batches of this epoch only.
      const end = Math.min(index + batchSize, length);
      if (dropLast && end - index < batchSize) break;
      const indices =
        order?.subarray(index, end) ?? Int32Array.from({ length: end - index }, (_, i) => index + i);
      const done = end >= usable || (dropLast && end + batchSize > length);
      yield {
        at: { epoch, index },
        next: done ? { epoch: epoch + 1, index: 0 } : { epoch, index: end },
        load: () => gather(dataset, indices, accessKey, concurrency),
        indices,
      };
    }
    if (!endless) return;
  }
}

/**
 * Batches of a dataset that can only be walked, one after the other. A cursor inside an epoch is reached by walking up
 * to it. That an epoch has ended is known only at its end, so its last cursor may stand behind its last sample.
 */
export async function* planWalk<S>(
  dataset: IterableDataset<S>,
  window: number,
  options: PlanOptions,
): AsyncGenerator<BatchPlan<S>, void> {
  const { batchSize, dropLast, from, endless, shuffle } = options;
  for (let epoch = from.epoch, skip = from.index; ; epoch++, skip = 0) {
    let position = 0;
    let start = skip;
    let batches = 0;
    let samples: S[] = [];
    const plan = (end: number): BatchPlan<S> => {
      const loaded = samples;
      const indices = Int32Array.from(loaded, (_, i) => start + i);
      const batch = { at: { epoch, index: start }, next: { epoch, index: end }, load: () => loaded, indices };
      samples = [];
      start = end;
      batches++;
      return batch;
    };
    for await (const sample of shuffle ? windowShuffle(dataset, window, shuffle.fold(epoch)) : dataset) {
      if (position++ < skip) continue;
      samples.push(sample);
      if (samples.length === batchSize) yield plan(position);
    }
    if (samples.length > 0 && !dropLast) yield plan(position);
    if (!endless) return;
    checkArgument(
      batches > 0 || skip > 0,
      'DataLoader',
      'dataset',
      'an iterable that gives at least one batch each time it is walked (a generator object gives its samples once: ' +
        'pass an object whose [Symbol.iterator] makes a new one)',
      `none in epoch ${epoch}`,
    );
  }
}

/** Reads samples, up to `limit` at a time where the dataset is asynchronous. */
async function gather<S>(dataset: Dataset<S>, indices: Int32Array, key: Key, limit: number): Promise<S[]> {
  const samples = new Array<S>(indices.length);
  let next = 0;
  const worker = async () => {
    while (next < indices.length) {
      const at = next++;
      const index = indices[at]!;
      const sample = dataset.get(index, key.fold(index));
      samples[at] = isPromise(sample) ? await sample : sample;
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(limit, indices.length) }, worker));
  } finally {
    next = indices.length; // after an error the other workers begin nothing new
  }
  return samples;
}
