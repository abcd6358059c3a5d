import { hostNormal, randomKey } from '@poiesis/core';

/** Vectors that lie about a few directions, as embeddings do, and not all of one length. */
export function manyVectors(count: number, dim: number, seed = 1): Float32Array {
  const key = randomKey(seed);
  const centres = hostNormal(key.fold(0), 16 * dim);
  const noise = hostNormal(key.fold(1), count * dim);
  return noise.map((x, i) => {
    const row = Math.floor(i / dim);
    return (centres[(row % 16) * dim + (i % dim)]! + 0.7 * x) * (1 + (row % 3));
  });
}

export function names(count: number, prefix = 'v'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

/** The nearest by the definition: every cosine, sorted, equal ones in the order of the vectors. */
export function byDefinition(
  vectors: Float32Array,
  query: Float32Array,
  k: number,
): { row: number; score: number }[] {
  const dim = query.length;
  const length = (v: Float32Array) => Math.hypot(...v);
  return Array.from({ length: vectors.length / dim }, (_, row) => {
    const vector = vectors.subarray(row * dim, (row + 1) * dim);
    const dot = vector.reduce((sum, x, j) => sum + x * query[j]!, 0);
    return { row, score: dot / length(vector) / length(query) };
  })
    .sort((a, b) => b.score - a.score || a.row - b.row)
    .slice(0, k);
}
