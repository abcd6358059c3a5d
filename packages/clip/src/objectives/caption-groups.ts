import { ArgumentError, checkArgument, hostBits, randomKey } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** Independent hashes of a row. That two different captions agree in all is a matter of 1 in 10⁹, and harmless. */
const HASHES = 4;
/** Hashes are sums of `bytes · weights` that float32 holds exactly, in any order: below 2²⁴. */
const EXACT = 2 ** 24;

/**
 * Which captions of a batch are the same: int32 `[n]`, for each the place of the first one that is equal to it. Pairs
 * of the same caption are not negatives of each other, so `clipStep` takes these groups where a batch brings none.
 *
 * @param captions texts, or their tokens, int32 `[n, context]`. Texts that a tokenizer maps to the same tokens are equal.
 * @returns the caller owns it. From tokens it is computed on the device, without reading them.
 */
export function captionGroups(captions: readonly string[] | tf.Tensor): tf.Tensor1D {
  if (captions instanceof tf.Tensor) return tokenGroups(captions);
  const texts = Array.isArray(captions) && captions.every((text) => typeof text === 'string');
  checkArgument(texts, 'captionGroups', 'captions', 'texts, or a tensor of tokens', captions);
  const first = new Map<string, number>();
  const groups = captions.map((text, i) => {
    if (!first.has(text)) first.set(text, i);
    return first.get(text)!;
  });
  return tf.tensor1d(groups, 'int32');
}

function tokenGroups(tokens: tf.Tensor): tf.Tensor1D {
  const { rank, shape, dtype } = tokens;
  if (rank !== 2 || dtype !== 'int32') {
    const received = `${dtype} [${shape.join(', ')}]`;
    throw new ArgumentError({
      fn: 'captionGroups',
      argument: 'captions',
      expected: 'tokens, int32 [n, context]',
      received,
    });
  }
  return tf.tidy(() => {
    const hashes = tf.unstack(hashRows(tokens as tf.Tensor2D), 1);
    // n² comparisons of a few hashes, not n² · context of tokens.
    const differ = hashes
      .map((hash) => tf.notEqual(tf.expandDims(hash, 1), tf.expandDims(hash, 0)))
      .reduce((a, b) => tf.logicalOr(a, b)); // (n, n)
    const n = tokens.shape[0];
    const places = tf.add(tf.mul(tf.cast(differ, 'float32'), n), tf.range(0, n)); // what differs comes last
    return tf.cast(tf.min(places, 1), 'int32') as tf.Tensor1D;
  });
}

/** `[n, context]` → `[n, HASHES]`, whole numbers: products with fixed weights of each token's low, middle and high part. */
function hashRows(tokens: tf.Tensor2D): tf.Tensor2D {
  const context = tokens.shape[1];
  const parts = 3;
  const most = Math.max(1, Math.floor(EXACT / (255 * parts * context)));
  const bits = hostBits(randomKey(0), parts * context * HASHES);
  const weights = tf.tensor2d(
    Float32Array.from(bits, (b) => 1 + (b % most)),
    [parts * context, HASHES],
  );
  const low = (x: tf.Tensor) => tf.sub(x, tf.mul(tf.floor(tf.mul(x, 1 / 256)), 256));
  const high = (x: tf.Tensor) => tf.floor(tf.mul(x, 1 / 256));
  const x = tf.cast(tokens, 'float32'); // exact below 2²⁴
  const bytes = tf.concat([low(x), low(high(x)), high(high(x))], 1); // (n, 3 · context)
  return tf.matMul(bytes, weights) as tf.Tensor2D;
}
