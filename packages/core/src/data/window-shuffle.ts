import { hostIntegers, type Key, permutation } from '../random';
import type { IterableDataset } from './dataset';

/** Random numbers are drawn in blocks: a draw of one has the cost of a key. */
const BLOCK = 1024;

/**
 * Shuffles a walk approximately: keeps `window` samples and gives out a random one of them, then takes the next one
 * in its place. The order depends on the key alone. `window` samples are in memory.
 */
export async function* windowShuffle<S>(
  samples: IterableDataset<S>,
  window: number,
  key: Key,
): AsyncGenerator<S, void, undefined> {
  const held: S[] = [];
  let draws: Int32Array = new Int32Array(0);
  let block = 0;
  let drawn = 0;
  const draw = (): number => {
    if (drawn === draws.length) {
      draws = hostIntegers(key.fold(block++), BLOCK, { max: window });
      drawn = 0;
    }
    return draws[drawn++]!;
  };
  for await (const sample of samples) {
    if (held.length < window) {
      held.push(sample);
      continue;
    }
    const at = draw();
    const out = held[at]!;
    held[at] = sample;
    yield out;
  }
  for (const at of permutation(key.fold(block), held.length)) yield held[at]!;
}
