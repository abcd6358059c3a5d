import { checkArgument, hostValues, type Ids } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** Sequences of tokens: int32 `[batch, seq]`, or plain numbers, which may differ in length. */
export type Tokens = Ids | readonly Int32Array[];

/**
 * Sequences side by side, the shorter ones filled up at their end.
 *
 * @param options.pad fills up. Default 0.
 * @param options.length of all. Default: that of the longest.
 * @returns int32 `[batch, length]`. The caller owns it.
 * @throws ArgumentError for no sequences, an empty one, one that is longer than `length`, and what is no integer.
 */
export function padTokens(
  sequences: readonly ArrayLike<number>[],
  { pad = 0, length }: { pad?: number; length?: number } = {},
): tf.Tensor2D {
  const fn = 'padTokens';
  checkArgument(sequences.length > 0, fn, 'sequences', 'at least one', sequences.length);
  checkArgument(Number.isInteger(pad), fn, 'options.pad', 'a token', pad);
  const whole = length === undefined || (Number.isInteger(length) && length >= 1);
  checkArgument(whole, fn, 'options.length', 'an integer ≥ 1', length);
  const longest = length ?? sequences.reduce((most, { length }) => Math.max(most, length), 0);
  const rows = new Int32Array(sequences.length * longest).fill(pad);
  for (const [i, sequence] of sequences.entries()) {
    const fits = sequence.length >= 1 && sequence.length <= longest;
    checkArgument(fits, fn, `sequences[${i}]`, `1 to ${longest} tokens`, `${sequence.length} tokens`);
    checkTokens(fn, `sequences[${i}]`, sequence);
    rows.set(sequence, i * longest);
  }
  return tf.tensor2d(rows, [sequences.length, longest], 'int32');
}

/**
 * Demands integers in `[0, vocab)`: on a device that computes late, nobody else sees a wrong one in time.
 * @param columns of a matrix, where `tokens` are its values.
 */
export function checkTokens(
  fn: string,
  argument: string,
  tokens: ArrayLike<number>,
  vocab = Number.POSITIVE_INFINITY,
  columns?: number,
): void {
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (Number.isInteger(token) && token >= 0 && token < vocab) continue;
    const place = columns === undefined ? i : `${Math.floor(i / columns)}, ${i % columns}`;
    const expected = vocab === Number.POSITIVE_INFINITY ? 'a token ≥ 0' : `a token in [0, ${vocab})`;
    checkArgument(false, fn, `${argument}[${place}]`, expected, token);
  }
}

export interface TokenRules {
  pad: number;
  vocab: number;
  maxLength: number;
}

/** Tokens as a tensor, checked as far as can be seen without waiting. Inside a `tidy`. */
export function tokenTensor(
  fn: string,
  argument: string,
  tokens: Tokens,
  { pad, vocab, maxLength }: TokenRules,
): tf.Tensor2D {
  const layout = 'int32 [batch, seq] with at least one token';
  const checkLength = (length: number, argument: string) =>
    checkArgument(
      length <= maxLength,
      fn,
      argument,
      `at most ${maxLength} tokens (config.maxLength)`,
      length,
    );
  if (tokens instanceof tf.Tensor) {
    const ok = tokens.rank === 2 && tokens.dtype === 'int32' && tokens.size > 0;
    checkArgument(ok, fn, argument, layout, `${tokens.dtype} [${tokens.shape.join(', ')}]`);
    checkLength(tokens.shape[1]!, argument);
    checkTokens(fn, argument, hostValues(tokens) ?? [], vocab, tokens.shape[1]!);
    return tokens as tf.Tensor2D;
  }
  const nested = tokens.length > 0 && typeof tokens[0] !== 'number';
  checkArgument(nested, fn, argument, `${layout}, or an array of sequences`, tokens);
  const sequences = tokens as readonly ArrayLike<number>[];
  for (const [i, sequence] of sequences.entries()) {
    checkArgument(sequence.length > 0, fn, `${argument}[${i}]`, 'at least one token', sequence.length);
    checkLength(sequence.length, `${argument}[${i}]`);
    checkTokens(fn, `${argument}[${i}]`, sequence, vocab);
  }
  return padTokens(sequences, { pad });
}
