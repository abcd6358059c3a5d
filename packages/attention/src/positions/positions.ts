import { Module } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** Where tokens stand. */
export interface Place {
  /** int32 `[seq]`: the tokens' positions. Default 0, 1, 2, … */
  at?: tf.Tensor1D | null;
  /** Positions that there are in all: what `at` stays below. Default: as many as there are tokens. */
  length?: number;
}

/**
 * How a Transformer learns of order. A scheme does one of three things and leaves the other two as they are here: it
 * adds to the embeddings, or turns queries and keys, or adds to the scores.
 */
export abstract class Positions extends Module {
  /** Embeddings with their positions: `[batch, seq, dim]` → the same. The caller owns the result. */
  embed(x: tf.Tensor, _place?: Place): tf.Tensor {
    return tf.clone(x);
  }

  /** Queries or keys with their positions: `[batch, heads, seq, headDim]` → the same. The caller owns the result. */
  rotate(x: tf.Tensor, _place?: Place): tf.Tensor {
    return tf.clone(x);
  }

  /**
   * What is added to the scores of `queries` queries at `place` against keys 0 … `keys − 1`: `[1, heads, queries, keys]`,
   * or null for nothing. The caller owns the result.
   */
  bias(_queries: number, _keys: number, _place?: Place): tf.Tensor | null {
    return null;
  }
}

/** Positions of `count` tokens: int32 `[count]`. */
export function positionsOf(count: number, place?: Place): tf.Tensor1D {
  return place?.at ?? tf.range(0, count, 1, 'int32');
}
