/**
 * What approximate search needs: a structure over keys and vectors that finds near ones without looking at all. Scores
 * are not asked for, the index computes them itself from the exact vectors.
 */
export interface NeighbourGraph {
  /** Number of vectors inside. */
  readonly size: number;
  /** Adds vectors of length 1, one after the other in `vectors`. */
  add(keys: readonly number[], vectors: Float32Array): void;
  remove(keys: readonly number[]): void;
  /** Keys of about the `count` nearest by inner product, or fewer, in any order. */
  search(query: Float32Array, count: number): number[];
  /** The structure as bytes. */
  save(): Promise<Uint8Array>;
}

/** Makes graphs: `usearch()` of `@poiesis/clip/node`, or one of your own. */
export interface GraphProvider {
  /** Library and settings that shape the structure. A stored graph of another signature is built anew. */
  readonly signature: string;
  create(dim: number): NeighbourGraph;
  /** The structure in `bytes`, which `save` made. Throws where it cannot be read. */
  load(bytes: Uint8Array, dim: number): Promise<NeighbourGraph>;
}
