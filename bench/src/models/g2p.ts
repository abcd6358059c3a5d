import { preNorm, type SequencePair, Transformer } from '@poiesis/attention';
import { hostIntegers, type Key, randomKey } from '@poiesis/core';

/** Tokens: padding, start and end, then letters with the apostrophe, and phones. */
const [special, letters, phones] = [3, 27, 39];

/** The Transformer from letters to phones of the recipe `quality/g2p.mjs`: 5.6 million parameters. */
export function g2pTransformer(): Transformer {
  const sizes = { dim: 256, heads: 4, layers: 3, dropout: 0.1, maxLength: 128 };
  const vocabularies = { sourceVocab: special + letters, targetVocab: special + phones };
  return new Transformer({ ...vocabularies, ...sizes, residual: preNorm, tied: 'output' }, { seed: 1 });
}

/** Words of `min` to `max` letters, with one to three phones fewer than letters. */
export function words(count: number, { min, max }: { min: number; max: number }, key: Key = randomKey(2)) {
  const [forLengths, forFewer, forLetters, forPhones] = key.split(4) as [Key, Key, Key, Key];
  const lengths = hostIntegers(forLengths, count, { min, max: max + 1 });
  const fewer = hostIntegers(forFewer, count, { min: 1, max: 4 });
  const all = {
    source: hostIntegers(forLetters, count * max, { min: special, max: special + letters }),
    target: hostIntegers(forPhones, count * max, { min: special, max: special + phones }),
  };
  return Array.from({ length: count }, (_, i): SequencePair => {
    const length = lengths[i]!;
    return {
      source: all.source.subarray(i * max, i * max + length),
      target: all.target.subarray(i * max, i * max + Math.max(1, length - fewer[i]!)),
    };
  });
}
