import { checkArgument, Embedding, type WeightOptions } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { type Place, Positions, positionsOf } from './positions';

export interface RelativeBiasOptions extends WeightOptions {
  /** Distances that are told apart. Default 32. */
  buckets?: number;
  /** From this distance on, all are one. Default 128. */
  maxDistance?: number;
  /** Tells keys after the query from those before it; a decoder has none after. Default true. */
  bidirectional?: boolean;
}

/** The bucket of a distance `key − query`, as T5's `_relative_position_bucket`, in float32 as there. */
export function relativeBucket(
  distance: number,
  { buckets = 32, maxDistance = 128, bidirectional = true }: Omit<RelativeBiasOptions, 'key' | 'init'> = {},
): number {
  checkArgument(Number.isInteger(distance), 'relativeBucket', 'distance', 'an integer', distance);
  checkBuckets('relativeBucket', { buckets, maxDistance, bidirectional });
  const side = bidirectional ? buckets / 2 : buckets;
  const start = bidirectional && distance > 0 ? side : 0;
  const far = bidirectional ? Math.abs(distance) : Math.max(-distance, 0);
  const exact = side / 2;
  if (far < exact) return start + far;
  const f = Math.fround;
  const share = f(f(Math.log(f(far / exact))) / f(Math.log(maxDistance / exact)));
  return start + Math.min(side - 1, exact + Math.floor(f(share * f(side - exact))));
}

function checkBuckets(
  fn: string,
  { buckets, maxDistance, bidirectional }: { buckets: number; maxDistance: number; bidirectional: boolean },
): void {
  const step = bidirectional ? 4 : 2;
  const even = Number.isInteger(buckets) && buckets >= step && buckets % step === 0;
  checkArgument(even, fn, 'options.buckets', `a positive multiple of ${step}`, buckets);
  const beyond = maxDistance > buckets / step;
  checkArgument(beyond, fn, 'options.maxDistance', `more than ${buckets / step}`, maxDistance);
}

/**
 * A learned number for each head and each range of distances, added to the scores: Raffel et al., "T5" (2020),
 * section 2.1. Near distances have a bucket each, far ones share them logarithmically. All layers share one, as in T5.
 *
 * `relative_attention_bias.weight [buckets, heads]` starts at N(0, 1). T5 does not scale its scores.
 */
export class RelativeBias extends Positions {
  readonly relative_attention_bias: Embedding;
  readonly #options: { buckets: number; maxDistance: number; bidirectional: boolean };

  constructor(heads: number, options: RelativeBiasOptions) {
    super();
    const { buckets = 32, maxDistance = 128, bidirectional = true, ...weight } = options;
    checkBuckets('RelativeBias', { buckets, maxDistance, bidirectional });
    this.relative_attention_bias = new Embedding(buckets, heads, weight);
    this.#options = { buckets, maxDistance, bidirectional };
  }

  override bias(queries: number, keys: number, place: Place = {}): tf.Tensor4D {
    // One bucket for each distance that can occur: a small table that is looked up by distance.
    const length = place.at ? (place.length ?? keys) : queries;
    const least = 1 - length; // the first key, seen from the last query
    const table = Int32Array.from({ length: length + keys - 1 }, (_, i) =>
      relativeBucket(least + i, this.#options),
    );
    return tf.tidy(() => {
      const at = tf.reshape(positionsOf(queries, place), [queries, 1]);
      const distance = tf.sub(tf.range(0, keys, 1, 'int32'), at); // (Q, K)
      const index = tf.sub(distance, tf.scalar(least, 'int32'));
      const buckets = tf.gather(tf.tensor1d(table, 'int32'), tf.cast(index, 'int32'));
      const bias = this.relative_attention_bias.forward(buckets); // (Q, K, H)
      return tf.expandDims(tf.transpose(bias, [2, 0, 1]), 0) as tf.Tensor4D;
    });
  }
}
