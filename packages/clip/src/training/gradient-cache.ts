import { fromHost, type Key, type Parameter, valueAndGrad } from '@poiesis/core';
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
  const again = apart(input);
  return tf.tidy(() => {
    let sums: Record<string, tf.Tensor> = {};
    for (const [i, { start, size }] of chunksOf(input.shape[0]!, rows).entries()) {
      sums = tf.tidy(() => {
        const { grads } = valueAndGrad(() => {
          const features = encode(rowsOf(again, start, size), key.fold(i));
          return tf.sum(tf.mul(features, rowsOf(grad, start, size))) as tf.Scalar;
        }, parameters);
        return add(sums, grads);
      });
    }
    again.dispose();
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
 * The same values, in a way that a compiler cannot know of. It would find that both passes compute the same, keep what
 * the first one computed for the second, and so keep all that the cache is there to forget.
 */
function apart(input: tf.Tensor): tf.Tensor {
  const isInt = input.dtype === 'int32';
  const neutral = () => (isInt ? Int32Array.of(0) : Float32Array.of(1));
  return tf.tidy(() => {
    const unknown = fromHost(neutral, [], isInt ? 'int32' : 'float32');
    return isInt ? tf.add(input, unknown) : tf.mul(input, unknown);
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
