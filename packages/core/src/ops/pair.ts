import { checkArgument } from '../errors';

/** A size per spatial axis, `[height, width]`; one number means both. */
export type Pair = number | readonly [number, number];

/** Spells out a `Pair` and checks that both are integers of at least `min`. */
export function pairOf(value: Pair, fn: string, argument: string, min = 1): [number, number] {
  const both: readonly number[] = typeof value === 'number' ? [value, value] : value;
  checkArgument(
    Array.isArray(both) && both.length === 2 && both.every((n) => Number.isInteger(n) && n >= min),
    fn,
    argument,
    `an integer ≥ ${min} or a pair of them`,
    value,
  );
  return [both[0]!, both[1]!];
}
