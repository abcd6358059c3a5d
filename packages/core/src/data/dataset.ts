import { checkArgument } from '../errors';
import type { Key } from '../random';

/**
 * A dataset with random access: anything with a length and a `get`. Arrays will do too.
 *
 * `key` is the randomness of one access, for augmentation: the loader passes a key of (seed, epoch, index), so a run
 * that resumes from a cursor sees the same samples. Datasets that draw nothing ignore it.
 */
export interface Dataset<S> {
  readonly length: number;
  get(index: number, key?: Key): S | Promise<S>;
}

/** A dataset that can only be walked. Each epoch walks it anew, so generator objects, which end, last for one. */
export type IterableDataset<S> = AsyncIterable<S> | Iterable<S>;

/** Everything that a `DataLoader` reads. */
export type AnyDataset<S> = Dataset<S> | readonly S[] | IterableDataset<S>;

/** Random access where the dataset has it, else undefined. Arrays get a `get`. */
export function randomAccess<S>(dataset: AnyDataset<S>): Dataset<S> | undefined {
  if (Array.isArray(dataset)) return { length: dataset.length, get: (i) => dataset[i] as S };
  if (typeof dataset !== 'object' || dataset === null) return undefined;
  if ('get' in dataset && typeof dataset.get === 'function' && 'length' in dataset)
    return dataset as Dataset<S>;
  return undefined;
}

/** A dataset that can be walked but not indexed; checked. */
export function walkable<S>(fn: string, dataset: AnyDataset<S>): IterableDataset<S> {
  checkArgument(
    typeof dataset === 'object' &&
      dataset !== null &&
      (Symbol.asyncIterator in dataset || Symbol.iterator in dataset),
    fn,
    'dataset',
    '{ length, get(i) }, an array, or an iterable of samples',
    dataset,
  );
  return dataset as IterableDataset<S>;
}

export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
