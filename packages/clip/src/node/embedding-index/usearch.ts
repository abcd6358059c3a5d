import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkArgument, PoiesisError } from '@poiesis/core';
import type { GraphProvider, NeighbourGraph } from '../../embedding-index';

/** How the graph keeps its own copies of the vectors: bytes a value 1, 2, 2 and 4. */
export type UsearchPrecision = 'i8' | 'f16' | 'bf16' | 'f32';

export interface UsearchOptions {
  /** Default `'i8'`: candidates are ranked by the exact vectors anyway. */
  precision?: UsearchPrecision;
  /** Neighbours of a vector, "M" of the paper. Default 16. */
  connectivity?: number;
  /** Vectors looked at when one is added, "efConstruction" of the paper. Default 128. */
  expansionAdd?: number;
  /** Threads that add. Default 0: as many as there are cores. */
  threads?: number;
}

/** The part of the library that is used, so that its types are needed by nobody. */
interface UsearchIndex {
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
  remove(keys: BigUint64Array): unknown;
  search(query: Float32Array, count: number, threads: number): { keys: BigUint64Array };
  size(): number;
  save(path: string): void;
  load(path: string): void;
}

/**
 * Approximate search by USearch: a hierarchical navigable small world (Malkov and Yashunin, 2018) in native code. The
 * library is an optional peer dependency: `npm install usearch`; its package brings the binaries.
 *
 * ```ts
 * const index = new EmbeddingIndex(512, { approximate: await usearch() });
 * ```
 * @throws PoiesisError of the code `'missing-package'` where it is not installed or has no binary for this machine
 */
export async function usearch({
  precision = 'i8',
  connectivity = 16,
  expansionAdd = 128,
  threads = 0,
}: UsearchOptions = {}): Promise<GraphProvider> {
  const known = ['i8', 'f16', 'bf16', 'f32'].includes(precision);
  checkArgument(known, 'usearch', 'precision', "'i8', 'f16', 'bf16' or 'f32'", precision);
  for (const [name, value, least] of [
    ['connectivity', connectivity, 2],
    ['expansionAdd', expansionAdd, 1],
    ['threads', threads, 0],
  ] as const) {
    const fine = Number.isInteger(value) && value >= least;
    checkArgument(fine, 'usearch', name, `a whole number of at least ${least}`, value);
  }
  const { Index } = await library();
  const make = (dim: number): UsearchIndex =>
    new Index({
      dimensions: dim,
      metric: 'ip',
      quantization: precision,
      connectivity,
      expansion_add: expansionAdd,
      expansion_search: 64,
      multi: false,
    });
  return {
    signature: `usearch 2 ${precision} ${connectivity} ${expansionAdd}`,
    create: (dim) => graphOf(make(dim), threads),
    async load(bytes, dim) {
      const index = make(dim);
      await inScratch(async (path) => {
        await writeFile(path, bytes);
        index.load(path);
      });
      return graphOf(index, threads);
    },
  };
}

function graphOf(index: UsearchIndex, threads: number): NeighbourGraph {
  return {
    get size() {
      return index.size();
    },
    add: (keys, vectors) => index.add(BigUint64Array.from(keys, BigInt), vectors, threads),
    remove: (keys) => void index.remove(BigUint64Array.from(keys, BigInt)),
    // One query keeps one core busy. The number of results is also how widely the graph is searched.
    search: (query, count) => Array.from(index.search(query, count, 1).keys, Number),
    save: () =>
      inScratch(async (path) => {
        index.save(path);
        return readFile(path);
      }),
  };
}

/** The library reads and writes paths only. */
async function inScratch<T>(use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'poiesis-graph-'));
  try {
    return await use(join(folder, 'graph'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function library(): Promise<{ Index: new (options: object) => UsearchIndex }> {
  try {
    return (await import('usearch')) as unknown as { Index: new (options: object) => UsearchIndex };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new PoiesisError({
      code: 'missing-package',
      message: `usearch(): the package "usearch" cannot be loaded: ${reason}. Fix: npm install usearch`,
      cause,
    });
  }
}
