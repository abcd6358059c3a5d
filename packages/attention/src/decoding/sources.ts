import { checkArgument, hostValues } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { checkTokens, padTokens } from '../transformer/tokens';
import type { Decodable } from './model';

/** One source: tokens, not padded. */
export type Source = readonly number[] | Int32Array | tf.Tensor1D;
/** Several sources: of any lengths, or padded side by side. */
export type Sources = readonly (readonly number[] | Int32Array)[] | tf.Tensor2D;

/** Lengths are rounded up to a multiple of this, so that few shapes occur and few programs are compiled. */
const MULTIPLE = 8;

/** Sources side by side. The caller owns the tensor. */
export function sourceBatch(
  fn: string,
  source: Source | Sources,
  { config: { pad, maxLength, sourceVocab = Number.POSITIVE_INFINITY } }: Decodable,
): { batch: tf.Tensor2D; single: boolean } {
  if (source instanceof tf.Tensor) {
    const ok = source.dtype === 'int32' && (source.rank === 1 || source.rank === 2) && source.size > 0;
    const got = `${source.dtype} [${source.shape.join(', ')}]`;
    checkArgument(ok, fn, 'source', 'int32 [seq] or [batch, seq] with at least one token', got);
    const single = source.rank === 1;
    checkTokens(fn, 'source', hostValues(source) ?? [], sourceVocab, single ? undefined : source.shape[1]);
    checkLongest(fn, source.shape.at(-1)!, maxLength);
    const shape: [number, number] = [single ? 1 : source.shape[0]!, source.shape.at(-1)!];
    return { batch: tf.reshape(source, shape) as tf.Tensor2D, single };
  }
  const single = source.length > 0 && typeof source[0] === 'number';
  const rows = (single ? [source] : source) as readonly ArrayLike<number>[];
  const nested = rows.length > 0 && rows.every((row) => typeof row === 'object' && row.length > 0);
  checkArgument(nested, fn, 'source', 'tokens, or arrays of tokens, none of them empty', source);
  for (const [i, row] of rows.entries())
    checkTokens(fn, single ? 'source' : `source[${i}]`, row, sourceVocab);
  const longest = rows.reduce((most, row) => Math.max(most, row.length), 0);
  checkLongest(fn, longest, maxLength);
  const rounded = Math.ceil(longest / MULTIPLE) * MULTIPLE;
  return { batch: padTokens(rows, { pad, length: Math.max(longest, Math.min(rounded, maxLength)) }), single };
}

function checkLongest(fn: string, longest: number, maxLength: number): void {
  checkArgument(
    longest <= maxLength,
    fn,
    'source',
    `at most ${maxLength} tokens, the model's maxLength`,
    longest,
  );
}

/** The greatest number of tokens of a target: as asked for, or twice those of the source and some. */
export function targetLength(
  fn: string,
  asked: number | undefined,
  source: number,
  model: Decodable,
): number {
  const most = model.config.maxLength;
  if (asked === undefined) return Math.min(most, 2 * source + 2 * MULTIPLE);
  const ok = Number.isInteger(asked) && asked >= 1 && asked <= most;
  checkArgument(ok, fn, 'options.maxLength', `an integer from 1 to ${most}, the model's own`, asked);
  return asked;
}
