import { checkArgument } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { checkLength, checkPlaces } from './add-positions';
import { type Place, Positions } from './positions';

export interface RotaryOptions {
  /** The angles of a step go from 1 down to about 1/base. Default 10000. */
  base?: number;
  /**
   * Which numbers make a pair: `'half'` (default), i and i + headDim/2, as in Llama and GPT-NeoX checkpoints, or
   * `'interleaved'`, 2i and 2i + 1, as in the paper and in GPT-J's.
   */
  layout?: 'half' | 'interleaved';
  /** Longest sequence. Default 4096. Nothing is computed before it is needed. */
  maxLength?: number;
}

/**
 * Turns each pair of numbers by an angle in proportion to the position, so that scores depend on distances alone:
 * Su et al., "RoFormer" (2021), equation 34.
 *
 * @param x queries or keys, `[batch, heads, seq, headDim]`, headDim even.
 * @returns the shape of `x`. The caller owns it.
 */
export function rotary(x: tf.Tensor, options: RotaryOptions & Place = {}): tf.Tensor {
  const { at, length, ...rest } = options;
  return new RotaryPositions(rest).rotate(x, { at: at ?? null, ...(length && { length }) });
}

/** Rotary positions, for the queries and keys of every self-attention. Nothing is learned. */
export class RotaryPositions extends Positions {
  readonly base: number;
  readonly layout: 'half' | 'interleaved';
  readonly maxLength: number;
  #angles: { dim: number; cos: Float32Array; sin: Float32Array } | null = null;

  constructor({ base = 10000, layout = 'half', maxLength = 4096 }: RotaryOptions = {}) {
    super();
    const fn = 'RotaryPositions';
    checkArgument(base > 0 && Number.isFinite(base), fn, 'options.base', 'a number > 0', base);
    const known = layout === 'half' || layout === 'interleaved';
    checkArgument(known, fn, 'options.layout', "'half' or 'interleaved'", layout);
    const ok = Number.isInteger(maxLength) && maxLength >= 1;
    checkArgument(ok, fn, 'options.maxLength', 'an integer ≥ 1', maxLength);
    this.base = base;
    this.layout = layout;
    this.maxLength = maxLength;
  }

  override rotate(x: tf.Tensor, place: Place = {}): tf.Tensor {
    const fn = 'RotaryPositions.rotate';
    const [batch, heads, seq, dim] = x.shape as [number, number, number, number];
    const fits = x.rank === 4 && dim % 2 === 0;
    checkArgument(fits, fn, 'x', '[batch, heads, seq, headDim] with an even headDim', x.shape);
    checkLength(fn, seq, this.maxLength, place.at);
    const length = place.at ? (place.length ?? this.maxLength) : seq;
    checkPlaces(fn, length, this.maxLength);
    const half = dim / 2;
    const { cos, sin } = this.#table(length, dim);
    return tf.tidy(() => {
      const rows = (values: Float32Array) => {
        const table = tf.tensor2d(values.slice(0, length * half), [length, half]);
        return place.at ? tf.gather(table, place.at) : table; // (S, D/2)
      };
      const [c, s] = [rows(cos), rows(sin)];
      if (this.layout === 'half') {
        const [a, b] = tf.split(x, 2, -1) as [tf.Tensor, tf.Tensor]; // (B, H, S, D/2)
        return tf.concat([tf.sub(tf.mul(a, c), tf.mul(b, s)), tf.add(tf.mul(b, c), tf.mul(a, s))], -1);
      }
      const pairs = tf.reshape(x, [batch, heads, seq, half, 2]);
      const [a, b] = tf.unstack(pairs, 4) as [tf.Tensor, tf.Tensor]; // (B, H, S, D/2)
      const turned = tf.stack([tf.sub(tf.mul(a, c), tf.mul(b, s)), tf.add(tf.mul(b, c), tf.mul(a, s))], 4);
      return tf.reshape(turned, x.shape);
    });
  }

  /** Cosines and sines of at least `length` positions, `[length, dim / 2]`, on the host. */
  #table(length: number, dim: number): { cos: Float32Array; sin: Float32Array } {
    const half = dim / 2;
    if (this.#angles?.dim === dim && this.#angles.cos.length >= length * half) return this.#angles;
    const angle = (i: number) => Math.floor(i / half) * this.base ** ((-2 * (i % half)) / dim);
    const table = (f: (x: number) => number) =>
      Float32Array.from({ length: length * half }, (_, i) => f(angle(i)));
    this.#angles = { dim, cos: table(Math.cos), sin: table(Math.sin) };
    return this.#angles;
  }
}
