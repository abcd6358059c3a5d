import { ArgumentError, checkArgument } from '@poiesis/core';
import type * as tf from '@tensorflow/tfjs-core';
import type { GraphProvider, NeighbourGraph } from './graph';
import { Rows } from './rows';
import { type Compute, scan } from './scan';
import { type HostVectors, hostVectors, normalized, type Vectors } from './vectors';

/** Vectors are given to the graph in runs of this many, between which others get their turn. */
const RUN = 1024;

export interface EmbeddingIndexOptions {
  /** Makes searches approximate and fast: `usearch()` of `@poiesis/clip/node`. Default: exact search alone. */
  approximate?: GraphProvider;
  /** Anything worth keeping with the vectors, such as the model that made them. */
  meta?: Record<string, string>;
}

export interface SearchOptions {
  /** How many to find. Default 10. */
  k?: number;
  /** Looks at every vector, also where there is a graph. Default false. */
  exact?: boolean;
  /**
   * How many the graph is asked for; the best `k` of them by exact score are returned. More is more accurate and
   * slower. Default 256, or `2 · k` where that is more.
   */
  candidates?: number;
  /** Where exact search multiplies. Default `'host'`; `'backend'` pays with some sixteen queries at once. */
  compute?: Compute;
}

/** One that was found. */
export interface Match {
  id: string;
  /** Cosine of the angle to the query. */
  score: number;
}

/** What a stored index consists of. */
export interface IndexContent {
  readonly dim: number;
  readonly ids: readonly string[];
  readonly keys: readonly number[];
  /** `[size, dim]`, each of length 1. */
  readonly vectors: Float32Array;
  readonly meta: Record<string, string>;
  readonly graph?: { readonly signature: string; readonly bytes: Uint8Array };
}

/**
 * Vectors under ids, searched by cosine similarity.
 *
 * ```ts
 * const index = new EmbeddingIndex(512);
 * await index.add(['cat.png', 'dog.png'], embeddings);          // [2, 512]; lengths are set to 1
 * const [best] = await index.search(query);                     // { id, score }
 * ```
 *
 * Exact search looks at every vector; with `approximate` a graph names candidates, which are ranked by their exact
 * scores. Holds host memory only: there is nothing to dispose.
 */
export class EmbeddingIndex {
  readonly meta: Record<string, string>;
  readonly #approximate: GraphProvider | undefined;
  #rows: Rows;
  #graph: NeighbourGraph | undefined;
  /** Changes and searches come one after the other: they wait for tensors in between. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    /** Width of the vectors. */
    readonly dim: number,
    { approximate, meta = {} }: EmbeddingIndexOptions = {},
  ) {
    checkArgument(Number.isInteger(dim) && dim > 0, 'EmbeddingIndex', 'dim', 'a positive whole number', dim);
    for (const [key, value] of Object.entries(meta)) {
      checkArgument(typeof value === 'string', 'EmbeddingIndex', `meta.${key}`, 'a string', value);
    }
    this.meta = { ...meta };
    this.#approximate = approximate;
    this.#rows = new Rows(dim);
    this.#graph = approximate?.create(dim);
  }

  /** An index of what was stored. A graph that is missing, or was made otherwise than `approximate` would, is built. */
  static async of(
    content: IndexContent,
    { approximate }: EmbeddingIndexOptions = {},
  ): Promise<EmbeddingIndex> {
    const { dim, vectors, ids, keys, meta, graph } = content;
    const index = new EmbeddingIndex(dim, { meta, ...(approximate && { approximate }) });
    index.#rows = Rows.of(dim, vectors, ids, keys);
    if (approximate && graph?.signature === approximate.signature) {
      index.#graph = await approximate.load(graph.bytes, dim);
    } else if (index.#graph) {
      await index.#link(index.#graph, keys, vectors);
    }
    return index;
  }

  /** Number of vectors. */
  get size(): number {
    return this.#rows.size;
  }

  /** Ids of all vectors, in no particular order. */
  get ids(): readonly string[] {
    return [...this.#rows.ids];
  }

  has(id: string): boolean {
    return this.#rows.has(id);
  }

  /** A copy of a vector, of length 1, or `undefined` for an unknown id. */
  vector(id: string): Float32Array | undefined {
    const row = this.#rows.rowOfId(id);
    return row === undefined ? undefined : this.#rows.vector(row).slice();
  }

  /**
   * Adds vectors, all or none. Their lengths are set to 1. Tensors stay the caller's.
   * @throws ArgumentError for ids that are there already or come twice, another width, vectors of zeros and values that
   * are not finite
   */
  add(ids: readonly string[], vectors: Vectors): Promise<void> {
    return this.#turn(async () => {
      const fn = 'EmbeddingIndex.add';
      const read = await hostVectors(fn, 'vectors', vectors, this.dim);
      checkArgument(
        read.count === ids.length,
        fn,
        'vectors',
        `${ids.length} vectors, one per id`,
        read.count,
      );
      this.#checkNew(fn, ids);
      const data = normalized(fn, 'vectors', read);
      const keys = ids.map((id, i) => this.#rows.push(id, data.subarray(i * this.dim, (i + 1) * this.dim)));
      if (!this.#graph) return;
      try {
        await this.#link(this.#graph, keys, data);
      } catch (error) {
        // Keys that the graph has beyond the rows are passed over in a search.
        for (const key of keys) this.#rows.remove(this.#rows.rowOfKey(key)!);
        throw error;
      }
    });
  }

  /**
   * Removes vectors.
   * @returns how many of the ids were there
   */
  remove(ids: Iterable<string>): Promise<number> {
    return this.#turn(async () => {
      const keys: number[] = [];
      for (const id of ids) {
        const row = this.#rows.rowOfId(id);
        if (row !== undefined) keys.push(this.#rows.remove(row));
      }
      if (keys.length > 0) this.#graph?.remove(keys);
      return keys.length;
    });
  }

  /**
   * The nearest to one query, best first; equal scores in the order in which they were added.
   * @param query `[dim]` or `[1, dim]`, of any length but 0
   * @throws ArgumentError for a query of another width, of zeros, or with values that are not finite
   */
  search(query: tf.Tensor | ArrayLike<number>, options: SearchOptions = {}): Promise<Match[]> {
    const fn = 'EmbeddingIndex.search';
    return this.#turn(async () => {
      const found = await this.#find(fn, 'query', await oneVector(fn, query, this.dim), options);
      return found[0]!;
    });
  }

  /**
   * The nearest to each of many queries.
   * @param queries `[n, dim]`
   */
  searchMany(queries: Vectors, options: SearchOptions = {}): Promise<Match[][]> {
    const fn = 'EmbeddingIndex.searchMany';
    return this.#turn(async () =>
      this.#find(fn, 'queries', await hostVectors(fn, 'queries', queries, this.dim), options),
    );
  }

  /** Everything in it, for a file. The vectors are copied. */
  content(): Promise<IndexContent> {
    return this.#turn(async () => {
      const { dim, meta } = this;
      const { ids, keys } = this.#rows;
      const vectors = new Float32Array(this.size * dim);
      for (const { data, start } of this.#rows.blocks()) vectors.set(data, start * dim);
      const graph = this.#graph && {
        signature: this.#approximate!.signature,
        bytes: await this.#graph.save(),
      };
      return { dim, ids: [...ids], keys: [...keys], vectors, meta: { ...meta }, ...(graph && { graph }) };
    });
  }

  async #find(
    fn: string,
    argument: string,
    queries: HostVectors,
    { k = 10, exact = false, compute = 'host', candidates = Math.max(256, 2 * k) }: SearchOptions,
  ): Promise<Match[][]> {
    checkArgument(Number.isInteger(k) && k > 0, fn, 'options.k', 'a positive whole number', k);
    checkArgument(candidates >= k, fn, 'options.candidates', `at least k, ${k}`, candidates);
    const data = normalized(fn, argument, queries);
    const rows = this.#rows;
    if (rows.size === 0) return Array.from({ length: queries.count }, () => []);
    const found =
      this.#graph && !exact ? this.#approach(data, k, candidates) : await scan(rows, data, k, compute);
    return found.map((list) => list.map(({ key, score }) => ({ id: rows.ids[rows.rowOfKey(key)!]!, score })));
  }

  #approach(queries: Float32Array, k: number, candidates: number) {
    const { dim } = this;
    const found: { key: number; score: number }[][] = [];
    for (let at = 0; at < queries.length; at += dim) {
      const query = queries.subarray(at, at + dim);
      const list = this.#graph!.search(query, Math.min(candidates, this.size)).flatMap((key) => {
        const row = this.#rows.rowOfKey(key);
        return row === undefined ? [] : [{ key, score: dot(this.#rows.vector(row), query) }];
      });
      found.push(list.sort((a, b) => b.score - a.score || a.key - b.key).slice(0, k));
    }
    return found;
  }

  async #link(graph: NeighbourGraph, keys: readonly number[], vectors: Float32Array): Promise<void> {
    for (let at = 0; at < keys.length; at += RUN) {
      if (at > 0) await new Promise((resolve) => setTimeout(resolve));
      const run = keys.slice(at, at + RUN);
      graph.add(run, vectors.subarray(at * this.dim, (at + run.length) * this.dim));
    }
  }

  #checkNew(fn: string, ids: readonly string[]): void {
    const seen = new Set<string>();
    for (const id of ids) {
      checkArgument(typeof id === 'string' && id !== '', fn, 'ids', 'strings that are not empty', id);
      if (!seen.has(id) && !this.has(id)) seen.add(id);
      else {
        const received = `${JSON.stringify(id)} ${seen.has(id) ? 'twice' : 'again'}`;
        throw new ArgumentError({ fn, argument: 'ids', expected: 'new ids', received });
      }
    }
  }

  #turn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}

async function oneVector(
  fn: string,
  query: tf.Tensor | ArrayLike<number>,
  dim: number,
): Promise<HostVectors> {
  if (!('dataId' in query)) return hostVectors(fn, 'query', [query], dim);
  const shape = query.shape.join();
  const fits = shape === `${dim}` || shape === `1,${dim}`;
  checkArgument(fits, fn, 'query', `[${dim}] or [1, ${dim}]`, query.shape);
  return hostVectors(fn, 'query', query, dim);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}
