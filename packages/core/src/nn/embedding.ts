import * as tf from '@tensorflow/tfjs-core';
import { normalInit } from '../init';
import { embedding, type Ids, paddingRow } from '../ops/embedding';
import { checkSizes, type WeightOptions } from './fresh';
import { type Parameter, parameter } from './leaf';
import { Layer } from './module';

export interface EmbeddingOptions extends WeightOptions {
  /** A row that starts at zero and is not trained, as PyTorch's `padding_idx`. Negative counts from the end. */
  paddingIdx?: number | null;
}

/**
 * A table of `count` learned vectors, looked up by id: int32 `[...]` → `[..., dim]`.
 *
 * `weight [count, dim]` starts at N(0, 1). What happens to ids outside the table: see `embedding`.
 */
export class Embedding extends Layer {
  readonly weight: Parameter<tf.Rank.R2>;
  readonly paddingIdx: number | null;

  constructor(count: number, dim: number, options: EmbeddingOptions) {
    super();
    checkSizes('Embedding', { count, dim });
    const { key, init = normalInit(), paddingIdx = null } = options;
    this.paddingIdx = paddingIdx === null ? null : paddingRow(paddingIdx, count, 'Embedding');
    this.weight = parameter(
      tf.tidy(() => {
        const values = init(key, [count, dim], { in: dim, out: count }) as tf.Tensor2D;
        return this.paddingIdx === null ? values : tf.mul(values, notRow(this.paddingIdx, count));
      }),
    );
  }

  /** Takes plain numbers too: `forward([[1, 5, 2]])`. */
  override forward(ids: Ids): tf.Tensor {
    return embedding(ids, this.weight, { paddingIdx: this.paddingIdx });
  }
}

function notRow(row: number, count: number): tf.Tensor2D {
  return tf.tensor2d(
    Float32Array.from({ length: count }, (_, i) => (i === row ? 0 : 1)),
    [count, 1],
  );
}
