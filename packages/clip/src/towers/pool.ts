import { ArgumentError, checkArgument, hostValues, oneHot } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * The feature at the first end-of-text token of each row, found by its id. (OpenAI's code takes the highest id, which
 * is another token as soon as one was added to the vocabulary.)
 *
 * A row without an end token is an `ArgumentError` where the tokens can be seen without waiting for a device; elsewhere
 * its feature is NaN.
 *
 * @param x `[batch, seq, dim]`.
 * @param tokens int32 `[batch, seq]`.
 * @returns `[batch, dim]`. The caller owns it.
 */
export function poolAtToken(x: tf.Tensor3D, tokens: tf.Tensor2D, token: number): tf.Tensor2D {
  const [batch, seq, dim] = x.shape;
  checkArgument(tokens.shape.join() === `${batch},${seq}`, FN, 'tokens', `[${batch}, ${seq}]`, tokens.shape);
  checkHasToken(FN, tokens, token);
  return tf.tidy(() => {
    const here = tf.cast(tf.equal(tokens, tf.scalar(token, 'int32')), 'float32'); // (B, S)
    const first = oneHot(tf.argMax(here, 1), seq); // (B, S); the first of equal ones
    const found = tf.max(here, 1, true); // (B, 1): 0 makes the row 0 / 0
    const pooled = tf.matMul(tf.reshape(first, [batch, 1, seq]), x); // (B, 1, D)
    return tf.div(tf.mul(tf.reshape(pooled, [batch, dim]), found), found);
  });
}

const FN = 'poolAtToken';

/** Throws for the first row without `token`, as far as can be seen. */
export function checkHasToken(fn: string, tokens: tf.Tensor2D, token: number): void {
  const [batch, seq] = tokens.shape;
  const values = hostValues(tokens);
  if (!values) return;
  for (let row = 0; row < batch; row++) {
    let found = false;
    for (let i = 0; i < seq && !found; i++) found = values[row * seq + i] === token;
    if (found) continue;
    throw new ArgumentError({
      fn,
      argument: `tokens[${row}]`,
      expected: `an end-of-text token (${token}) among its ${seq}`,
      received: null,
    });
  }
}
