import { ArgumentError, checkArgument } from '@poiesis/core';
import type * as tf from '@tensorflow/tfjs-core';

/**
 * Vectors as they come: a tensor `[n, dim]`, one after the other in a flat array, or an array of vectors. Tensors stay
 * the caller's.
 */
export type Vectors = tf.Tensor | Float32Array | readonly ArrayLike<number>[];

/** Vectors on the host, one after the other. */
export interface HostVectors {
  readonly data: Float32Array;
  readonly count: number;
  readonly dim: number;
}

/**
 * Reads vectors. May share memory with what it is given.
 * @param dim their width, where it is known
 * @throws ArgumentError for another width, and for values that are not finite
 */
export async function hostVectors(
  fn: string,
  argument: string,
  vectors: Vectors,
  dim?: number,
): Promise<HostVectors> {
  const read = await readVectors(fn, argument, vectors, dim);
  const bad = read.data.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) {
    const received = `${read.data[bad]} in vector ${Math.floor(bad / read.dim)}`;
    throw new ArgumentError({ fn, argument, expected: 'finite values', received });
  }
  return read;
}

async function readVectors(
  fn: string,
  argument: string,
  vectors: Vectors,
  dim?: number,
): Promise<HostVectors> {
  const wide = dim ?? 'dim';
  if (vectors instanceof Float32Array) {
    const fits = dim !== undefined && vectors.length % dim === 0;
    checkArgument(fits, fn, argument, `vectors of ${wide} values`, `${vectors.length} values`);
    return { data: vectors, count: vectors.length / dim, dim };
  }
  if (!('dataId' in vectors)) {
    const width = dim ?? vectors[0]?.length ?? 0;
    const data = new Float32Array(vectors.length * width);
    for (const [i, vector] of vectors.entries()) {
      const place = `${argument}[${i}]`;
      checkArgument(vector.length === width, fn, place, `${width} values`, `${vector.length} values`);
      data.set(vector, i * width);
    }
    return { data, count: vectors.length, dim: width };
  }
  const width = vectors.shape.at(-1) ?? 0;
  const fits = vectors.rank === 2 && (dim === undefined || width === dim);
  const one = vectors.rank === 1 && width === dim;
  checkArgument(fits || one, fn, argument, `[n, ${wide}]`, vectors.shape);
  const count = one ? 1 : vectors.shape[0]!;
  checkArgument(vectors.dtype === 'float32', fn, argument, 'float32', vectors.dtype);
  checkArgument(!vectors.isDisposed, fn, argument, 'a live tensor', 'a disposed one');
  return { data: (await vectors.data()) as Float32Array, count, dim: width };
}

/**
 * A copy with every vector at length 1.
 * @throws ArgumentError for a vector of zeros, which has no direction
 */
export function normalized(fn: string, argument: string, { data, count, dim }: HostVectors): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0, at = 0; i < count; i++, at += dim) {
    let squares = 0;
    for (let j = at; j < at + dim; j++) squares += data[j]! * data[j]!;
    checkArgument(squares > 0, fn, argument, 'vectors with a direction', `zeros in vector ${i}`);
    const scale = 1 / Math.sqrt(squares);
    for (let j = at; j < at + dim; j++) out[j] = data[j]! * scale;
  }
  return out;
}
