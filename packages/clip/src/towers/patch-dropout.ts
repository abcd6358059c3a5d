import { checkArgument, fromHost, hostUniform, type Key } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

export interface PatchDropoutOptions {
  /** Share of the patches that is left out, in [0, 1). */
  rate: number;
  /** Tokens at the beginning that always stay: 1 for a class token. Default 0. */
  keep?: number;
  /** Decides which; needed for a rate above 0. */
  key?: Key | undefined;
}

/**
 * Leaves out patches at random, others in each picture, so that a step costs less: "FLIP", Li et al. (2023).
 * Of `n` patches `max(1, ⌊n · (1 − rate)⌋)` stay, in their order. They must have their positions already.
 *
 * @param x `[batch, keep + patches, dim]`.
 * @returns `[batch, keep + remaining, dim]`. The caller owns it.
 */
export function patchDropout(x: tf.Tensor3D, { rate, keep = 0, key }: PatchDropoutOptions): tf.Tensor3D {
  const fn = 'patchDropout';
  checkArgument(rate >= 0 && rate < 1, fn, 'options.rate', 'a rate in [0, 1)', rate);
  if (rate === 0) return tf.clone(x);
  checkArgument(key !== undefined, fn, 'options.key', `a key, for a rate of ${rate}`, key);
  const [batch, seq, dim] = x.shape;
  const patches = seq - keep;
  checkArgument(patches >= 1, fn, 'x', `more than ${keep} tokens`, x.shape);
  const remaining = Math.max(1, Math.floor(patches * (1 - rate)));
  return tf.tidy(() => {
    const rows = () => keptRows(key, { batch, seq, keep, remaining });
    const at = fromHost<tf.Rank.R1>(rows, [batch * (keep + remaining)], 'int32');
    const kept = tf.gather(tf.reshape(x, [batch * seq, dim]), at);
    return tf.reshape(kept, [batch, keep + remaining, dim]);
  });
}

/** Rows of `[batch · seq, dim]` that stay: of each picture's patches those with the highest numbers. */
function keptRows(
  key: Key,
  { batch, seq, keep, remaining }: { batch: number; seq: number; keep: number; remaining: number },
): Int32Array {
  const patches = seq - keep;
  const draws = hostUniform(key, batch * patches);
  const rows = new Int32Array(batch * (keep + remaining));
  let next = 0;
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < keep; i++) rows[next++] = b * seq + i;
    const draw = (i: number) => draws[b * patches + i]!;
    const order = Array.from({ length: patches }, (_, i) => i).sort((i, j) => draw(j) - draw(i) || i - j);
    const chosen = order.slice(0, remaining).sort((i, j) => i - j);
    for (const i of chosen) rows[next++] = b * seq + keep + i;
  }
  return rows;
}
