import { checkArgument, type Embedding } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** Demands int32 `[batch, seq]` that is not longer than the context. */
export function checkTokens(
  fn: string,
  tokens: tf.Tensor,
  { contextLength }: { contextLength: number },
): void {
  const expected = `int32 [batch, seq] with at most ${contextLength} tokens`;
  const fits = tokens.rank === 2 && tokens.size > 0 && tokens.shape[1]! <= contextLength;
  checkArgument(fits, fn, 'tokens', expected, tokens.shape);
  checkArgument(tokens.dtype === 'int32', fn, 'tokens', expected, `type ${tokens.dtype}`);
}

/** Tokens with their positions: `[batch, seq, dim]`. */
export function embedTokens(tokens: tf.Tensor2D, embedding: Embedding, positions: tf.Tensor2D): tf.Tensor3D {
  return tf.tidy(() => {
    const first = tf.slice(positions, [0, 0], [tokens.shape[1], -1]); // (S, D)
    return tf.add(embedding.forward(tokens), first);
  });
}
