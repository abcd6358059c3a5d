import { checkArgument } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { addPositions, checkLength, checkPlaces } from './add-positions';
import { type Place, Positions } from './positions';

export interface SinusoidalOptions {
  /** Longest sequence. Default 4096. Nothing is computed before it is needed. */
  maxLength?: number;
  /** The wave lengths go from 2π to 2π·base. Default 10000. */
  base?: number;
}

/**
 * `PE[pos, 2i] = sin(pos / 10000^(2i/dim))`, `PE[pos, 2i + 1] = cos(pos / 10000^(2i/dim))`: Vaswani et al. (2017),
 * section 3.5. For `[batch, seq, dim]`: the table is `[length, dim]`.
 *
 * @returns `[length, dim]`. The caller owns it.
 */
export function sinusoidal(length: number, dim: number, base = 10000): tf.Tensor2D {
  return tf.tensor2d(waves(length, dim, base), [length, dim]);
}

/** Sinusoidal positions, added to the embeddings. Nothing is learned, and nothing is in the state dict. */
export class SinusoidalPositions extends Positions {
  readonly dim: number;
  readonly maxLength: number;
  readonly base: number;
  /** As far as it was needed. On the host, so that it belongs to no backend and no `tidy`. */
  #table: Float32Array = new Float32Array(0);

  constructor(dim: number, { maxLength = 4096, base = 10000 }: SinusoidalOptions = {}) {
    super();
    const ok = Number.isInteger(maxLength) && maxLength >= 1;
    checkArgument(ok, 'SinusoidalPositions', 'options.maxLength', 'an integer ≥ 1', maxLength);
    this.dim = dim;
    this.maxLength = maxLength;
    this.base = base;
    waves(1, dim, base); // checks them
  }

  override embed(x: tf.Tensor, place: Place = {}): tf.Tensor {
    const fn = 'SinusoidalPositions.embed';
    const fits = x.rank === 3 && x.shape[2] === this.dim;
    checkArgument(fits, fn, 'x', `[batch, seq, ${this.dim}]`, x.shape);
    const seq = x.shape[1]!;
    checkLength(fn, seq, this.maxLength, place.at);
    const length = place.at ? (place.length ?? this.maxLength) : seq;
    checkPlaces(fn, length, this.maxLength);
    if (this.#table.length < length * this.dim) this.#table = waves(length, this.dim, this.base);
    return tf.tidy(() => {
      const rows = this.#table.slice(0, length * this.dim);
      return addPositions(x, tf.tensor2d(rows, [length, this.dim]), place);
    });
  }
}

function waves(length: number, dim: number, base: number): Float32Array {
  for (const [name, value] of Object.entries({ length, dim })) {
    checkArgument(Number.isInteger(value) && value >= 1, 'sinusoidal', name, 'an integer ≥ 1', value);
  }
  checkArgument(base > 0 && Number.isFinite(base), 'sinusoidal', 'base', 'a number > 0', base);
  const table = new Float32Array(length * dim);
  for (let i = 0; i < dim; i++) {
    const frequency = base ** (-(i - (i % 2)) / dim);
    const wave = i % 2 === 0 ? Math.sin : Math.cos;
    for (let pos = 0; pos < length; pos++) table[pos * dim + i] = wave(pos * frequency);
  }
  return table;
}
