import { checkArgument, hostValues } from '@poiesis/core';
import type * as tf from '@tensorflow/tfjs-core';
import type { KeyValues } from './cache';

/** Demands `[batch, seq, dim]` with at least one token. */
export function checkSequence(fn: string, argument: string, x: tf.Tensor, dim: number): void {
  const fits = x.rank === 3 && x.shape[2] === dim;
  checkArgument(fits, fn, argument, `[batch, seq, ${dim}]`, x.shape);
  checkArgument(x.size > 0, fn, argument, `[batch, seq, ${dim}] with at least one token`, x.shape);
}

/** Demands a memory of as many sequences as look at it. */
export function checkMemory(fn: string, memory: tf.Tensor, x: tf.Tensor): void {
  const fits = memory.rank === 3 && memory.shape[0] === x.shape[0] && memory.size > 0;
  const expected = `[${x.shape[0]}, memoryLength, memoryDim] with at least one token`;
  checkArgument(fits, fn, 'memory', expected, memory.shape);
}

/** Demands bool `[batch, keys]`: numbers could mean either, and another length would broadcast or not by chance. */
export function checkKeyMask(
  fn: string,
  argument: string,
  mask: tf.Tensor | null | undefined,
  [batch, keys]: readonly [batch: number, keys: number],
): void {
  if (!mask) return;
  const fits = mask.dtype === 'bool' && mask.shape.join() === `${batch},${keys}`;
  const got = `${mask.dtype} [${mask.shape.join(', ')}]`;
  checkArgument(fits, fn, argument, `bool [${batch}, ${keys}]`, got);
}

/** Demands keys and values of one shape, `[batch, kvHeads, length, headDim]`. */
export function checkKeyValues(
  fn: string,
  argument: string,
  { keys, values }: KeyValues,
  { batch, kvHeads, headDim }: { batch: number; kvHeads: number; headDim: number },
): void {
  const expected = `[${batch}, ${kvHeads}, length, ${headDim}]`;
  for (const [name, x] of Object.entries({ keys, values })) {
    const [b, h, length, d] = x.shape;
    const fits = x.rank === 4 && b === batch && h === kvHeads && d === headDim && length === keys.shape[2];
    checkArgument(fits, fn, `${argument}.${name}`, expected, x.shape);
  }
}

/** Demands a place for `fresh` more tokens in a cache of `length`; which one, where that can be seen without waiting. */
export function checkPosition(fn: string, position: tf.Scalar, fresh: number, length: number): void {
  const scalar = position.size === 1 && position.dtype === 'int32';
  const got = `${position.dtype} [${position.shape.join(', ')}]`;
  checkArgument(scalar, fn, 'position', 'an int32 scalar', got);
  checkArgument(
    fresh <= length,
    fn,
    'x',
    `at most ${length} tokens, as the cache has places`,
    `${fresh} tokens`,
  );
  const place = hostValues(position)?.[0];
  const inside = place === undefined || (place >= 0 && place + fresh <= length);
  checkArgument(
    inside,
    fn,
    'position',
    `from 0 to ${length - fresh}, as the cache has ${length} places`,
    place,
  );
}

/** Demands an integer ≥ 1. */
export function checkCount(fn: string, argument: string, count: number): void {
  checkArgument(Number.isInteger(count) && count >= 1, fn, argument, 'an integer ≥ 1', count);
}
