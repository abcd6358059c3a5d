import { checkArgument } from '../errors';
import { type Key, permutation, randomKey } from '../random';
import {
  type AnyDataset,
  type Dataset,
  type IterableDataset,
  isPromise,
  randomAccess,
  walkable,
} from './dataset';

/** What `mapDataset` tells its function beside the sample. */
export interface SampleContext {
  /** Index in the dataset; position in the walk for one that can only be walked. */
  index: number;
}

/** With random access there is also randomness: the same for the same seed, epoch and index. */
export interface KeyedSampleContext extends SampleContext {
  /** Given by the loader; by direct access without one, a key of the index alone. */
  key: Key;
}

/**
 * Applies `fn` to every sample, when it is read: `mapDataset(faces, ({ image }, { key }) => flip(image, key))`.
 * A dataset that can only be walked gives a dataset that can only be walked, and no keys.
 */
export function mapDataset<S, T>(
  dataset: Dataset<S> | readonly S[],
  fn: (sample: S, context: KeyedSampleContext) => T | Promise<T>,
): Dataset<T>;
export function mapDataset<S, T>(
  dataset: IterableDataset<S>,
  fn: (sample: S, context: SampleContext) => T | Promise<T>,
): AsyncIterable<T>;
export function mapDataset<S, T>(
  dataset: AnyDataset<S>,
  fn: (sample: S, context: KeyedSampleContext) => T | Promise<T>,
): Dataset<T> | AsyncIterable<T> {
  checkArgument(typeof fn === 'function', 'mapDataset', 'fn', 'a function', fn);
  const source = randomAccess(dataset);
  if (source) {
    return {
      length: source.length,
      get(index, key = randomKey(0).fold(index)) {
        // One key for the source, another for `fn`: two maps over each other must not draw the same numbers.
        const [below, own] = key.split(2) as [Key, Key];
        const sample = source.get(index, below);
        return isPromise(sample)
          ? sample.then((s) => fn(s, { index, key: own }))
          : fn(sample, { index, key: own });
      },
    };
  }
  const walk = walkable('mapDataset', dataset);
  const unkeyed = fn as (sample: S, context: SampleContext) => T | Promise<T>;
  return {
    async *[Symbol.asyncIterator]() {
      let index = 0;
      for await (const sample of walk) yield await unkeyed(sample, { index: index++ });
    },
  };
}

/** The samples at `indices`, in that order; an index may come more than once. */
export function subsetDataset<S>(dataset: Dataset<S> | readonly S[], indices: ArrayLike<number>): Dataset<S> {
  const source = indexed('subsetDataset', dataset);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    checkArgument(
      Number.isInteger(index) && index >= 0 && index < source.length,
      'subsetDataset',
      `indices[${i}]`,
      `an integer from 0 to ${source.length - 1}`,
      index,
    );
  }
  return { length: indices.length, get: (i, key) => source.get(indices[i]!, key) };
}

/** The first `count` samples, or all where there are fewer. */
export function takeDataset<S>(dataset: Dataset<S> | readonly S[], count: number): Dataset<S>;
export function takeDataset<S>(dataset: IterableDataset<S>, count: number): AsyncIterable<S>;
export function takeDataset<S>(dataset: AnyDataset<S>, count: number): Dataset<S> | AsyncIterable<S> {
  checkArgument(Number.isInteger(count) && count >= 0, 'takeDataset', 'count', 'an integer ≥ 0', count);
  const source = randomAccess(dataset);
  if (source) return { length: Math.min(count, source.length), get: (i, key) => source.get(i, key) };
  const walk = walkable('takeDataset', dataset);
  return {
    async *[Symbol.asyncIterator]() {
      let left = count;
      if (left === 0) return;
      for await (const sample of walk) {
        yield sample;
        if (--left === 0) return;
      }
    },
  };
}

/** One dataset after the other. All have random access, or else the result can only be walked. */
export function concatDatasets<S>(datasets: readonly (Dataset<S> | readonly S[])[]): Dataset<S>;
export function concatDatasets<S>(datasets: readonly AnyDataset<S>[]): AsyncIterable<S>;
export function concatDatasets<S>(datasets: readonly AnyDataset<S>[]): Dataset<S> | AsyncIterable<S> {
  const sources = datasets.map(randomAccess);
  if (sources.every((source) => source !== undefined)) {
    const starts: number[] = [];
    let length = 0;
    for (const source of sources) {
      starts.push(length);
      length += source.length;
    }
    return {
      length,
      get(index, key) {
        let k = starts.length - 1;
        while (k > 0 && starts[k]! > index) k--;
        return sources[k]!.get(index - starts[k]!, key);
      },
    };
  }
  return {
    async *[Symbol.asyncIterator]() {
      for (const [k, dataset] of datasets.entries()) {
        const source = sources[k];
        if (source) for (let i = 0; i < source.length; i++) yield await source.get(i);
        else yield* walkable('concatDatasets', dataset);
      }
    },
  };
}

/**
 * Disjoint random subsets, for example for training and evaluation: `splitDataset(faces, [0.9, 0.1], { seed: 1 })`.
 * @param fractions of the whole, together at most 1.
 * @param options `seed` decides who goes where (default 0).
 */
export function splitDataset<S>(
  dataset: Dataset<S> | readonly S[],
  fractions: readonly number[],
  { seed = 0 }: { seed?: number } = {},
): Dataset<S>[] {
  const source = indexed('splitDataset', dataset);
  const total = fractions.reduce((sum, f) => sum + f, 0);
  checkArgument(
    fractions.length > 0 && fractions.every((f) => f >= 0) && total <= 1 + 1e-9,
    'splitDataset',
    'fractions',
    'numbers ≥ 0 with a sum of at most 1',
    fractions,
  );
  const order = permutation(randomKey(seed), source.length);
  let sum = 0;
  return fractions.map((f) => {
    const start = Math.round(sum * source.length);
    sum += f;
    return subsetDataset(source, order.subarray(start, Math.round(sum * source.length)));
  });
}

/**
 * Keeps every sample that was read once in memory. Put it below what draws random numbers, above what is slow:
 * `mapDataset(cacheDataset(imageFolder(…)), augment)`.
 */
export function cacheDataset<S>(dataset: Dataset<S>): Dataset<S> {
  const source = indexed('cacheDataset', dataset);
  const kept = new Map<number, S | Promise<S>>();
  return {
    length: source.length,
    get(index, key) {
      const known = kept.get(index);
      if (known !== undefined) return known;
      const sample = source.get(index, key);
      kept.set(index, sample);
      if (isPromise(sample)) {
        sample.then(
          (value) => kept.set(index, value),
          () => kept.delete(index), // a read that failed may be tried again
        );
      }
      return sample;
    },
  };
}

function indexed<S>(fn: string, dataset: Dataset<S> | readonly S[]): Dataset<S> {
  const source = randomAccess(dataset);
  checkArgument(source, fn, 'dataset', 'a dataset with length and get(i), or an array', dataset);
  return source;
}
