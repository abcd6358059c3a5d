import { type Key, type Parameter, valueAndGrad } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** One side of a batch: its input, the tower, and the randomness of its pass. */
export interface Side {
  readonly input: tf.Tensor;
  readonly key: Key;
  encode(input: tf.Tensor, key: Key): tf.Tensor2D;
}

/**
 * Features `[n, d]` of one side, some rows at a time: what a pass keeps for its gradients is gone before the next one.
 * Chunk i has the key `key.fold(i)`.
 */
export function encodeChunks({ input, key, encode }: Side, rows: number): tf.Tensor2D {
  return tf.tidy(() => {
    const parts = chunksOf(input.shape[0]!, rows).map(({ start, size }, i) =>
      tf.tidy(() => encode(rowsOf(input, start, size), key.fold(i))),
    );
    return parts.length === 1 ? parts[0]! : tf.concat2d(parts, 0);
  });
}

/**
 * The gradients of the parameters, from those of the features: each chunk is encoded once more with the same key, and
 * `Σ feature · gradient` is what its pass differentiates (Gao et al. 2021, section 3.2, steps 3 and 4). Because the loss
 * depends on a chunk only through its features, the sum over the chunks is the gradient of the whole batch.
 * @param grad of the features, `[n, d]`.
 */
export function backpropagate(
  { input, key, encode }: Side,
  grad: tf.Tensor2D,
  rows: number,
  parameters: Record<string, Parameter>,
): Record<string, tf.Tensor> {
  return tf.tidy(() => {
    let sums: Record<string, tf.Tensor> = {};
    for (const [i, { start, size }] of chunksOf(input.shape[0]!, rows).entries()) {
      sums = tf.tidy(() => {
        const again = after([grad, ...Object.values(sums)], rowsOf(input, start, size));
        const { grads } = valueAndGrad(() => {
          const features = encode(again, key.fold(i));
          return tf.sum(tf.mul(features, rowsOf(grad, start, size))) as tf.Scalar;
        }, parameters);
        return add(sums, grads);
      });
    }
    return sums;
  });
}

/** Sum of gradients by name; a name may be in one of them only. */
export function add(a: Record<string, tf.Tensor>, b: Record<string, tf.Tensor>): Record<string, tf.Tensor> {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(
    names.map((name) => [name, a[name] && b[name] ? tf.add(a[name], b[name]) : (a[name] ?? b[name])!]),
  );
}

/**
 * `x`, in a way that a compiler cannot know and that depends on the first elements of others: plus 1 where their sum is
 * above infinity, which is never.
 *
 * It would find otherwise that both passes compute the same, and keep what the first one computed for the second; and it
 * would be free to run the passes of all chunks before the gradients of any. Either way it would hold for the whole
 * batch what is to be held for one chunk.
 */
function after<T extends tf.Tensor>(others: readonly tf.Tensor[], x: T): T {
  return tf.tidy(() => {
    const firsts = others.map((other) => tf.slice(tf.reshape(other, [other.size]), 0, 1));
    const never = tf.greater(tf.sum(tf.concat(firsts)), Number.POSITIVE_INFINITY);
    return tf.add(x, tf.cast(never, x.dtype)) as T;
  });
}

function chunksOf(n: number, rows: number): { start: number; size: number }[] {
  return Array.from({ length: Math.ceil(n / rows) }, (_, i) => ({
    start: i * rows,
    size: Math.min(rows, n - i * rows),
  }));
}

function rowsOf<T extends tf.Tensor>(x: T, start: number, size: number): T {
  const begin = x.shape.map((_, axis) => (axis === 0 ? start : 0));
  const sizes = x.shape.map((length, axis) => (axis === 0 ? size : length));
  return tf.slice(x, begin, sizes) as T;
}
