import { checkArgument } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { type Place, Positions, positionsOf } from './positions';

/**
 * The heads' slopes in ALiBi: a geometric sequence from `2^(−8/n)` for n heads, a power of two; for other numbers, the
 * slopes of the power below, then every second one of the power above, as in the authors' code.
 */
export function alibiSlopes(heads: number): number[] {
  const ok = Number.isInteger(heads) && heads >= 1;
  checkArgument(ok, 'alibiSlopes', 'heads', 'an integer ≥ 1', heads);
  const power = 2 ** Math.floor(Math.log2(heads));
  const slopes = (n: number) => Array.from({ length: n }, (_, i) => 2 ** ((-8 * (i + 1)) / n));
  return [...slopes(power), ...slopes(2 * power).filter((_, i) => i % 2 === 0)].slice(0, heads);
}

/**
 * Scores that fall with the distance, `−slope · |i − j|`: Press et al., "Train Short, Test Long" (2022). Nothing is
 * learned, and there is no longest sequence.
 *
 * Made for decoders: a distance has no direction, so to an encoder that sees both sides a row and its reverse are alike
 * (token by token), and a decoder that only looks at its result cannot tell them apart either.
 */
export class AlibiPositions extends Positions {
  readonly slopes: readonly number[];

  constructor(heads: number) {
    super();
    this.slopes = alibiSlopes(heads);
  }

  override bias(queries: number, keys: number, place: Place = {}): tf.Tensor4D {
    return tf.tidy(() => {
      const at = tf.reshape(positionsOf(queries, place), [queries, 1]);
      const distance = tf.abs(tf.sub(at, tf.range(0, keys, 1, 'int32'))); // (Q, K)
      const slopes = tf.tensor4d(
        this.slopes.map((slope) => -slope),
        [1, this.slopes.length, 1, 1],
      );
      return tf.mul(slopes, tf.cast(distance, 'float32')) as tf.Tensor4D;
    });
  }
}
