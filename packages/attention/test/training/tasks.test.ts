// Learns to copy, to reverse and to sort, and is asked about sequences that it has not seen.
import { adam, cosine, hostIntegers, type Key, randomKey, supervised, train } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { greedy, preNorm, SequenceBatches, type SequencePair, sequenceLoss, Transformer } from '../../src';

const SYMBOLS = 6;
const FIRST = 3; // after padding, start and end
const vocab = FIRST + SYMBOLS;

const tasks: Record<string, (source: readonly number[]) => number[]> = {
  copy: (source) => [...source],
  reverse: (source) => [...source].reverse(),
  sort: (source) => [...source].sort((a, b) => a - b),
};

/** Sequences of `min` to 5 symbols, each length as often as the others. */
function sequences(seed: number, count: number, min: number): number[][] {
  const key = randomKey(seed);
  return Array.from({ length: count }, (_, i) => {
    const [forLength, forSymbols] = key.fold(i).split(2) as [Key, Key];
    const [length] = hostIntegers(forLength, 1, { min, max: 6 });
    return Array.from(hostIntegers(forSymbols, length!, { min: FIRST, max: vocab }));
  });
}

const heldOut = sequences(1, 100, 3);
const unseen = new Set(heldOut.map((sequence) => sequence.join()));
const seen = sequences(2, 6000, 2).filter((sequence) => !unseen.has(sequence.join()));

// A matter of seconds where steps are compiled. One is enough on wasm, and cpu would take minutes.
const chosen: Record<string, string[]> = { onnx: Object.keys(tasks), wasm: ['sort'] };
const here = chosen[tf.getBackend()] ?? [];

describe.skipIf(here.length === 0)('a small Transformer learns', () => {
  it.each(here)(
    'to %s, without a mistake on sequences that it has not seen',
    async (name) => {
      const task = tasks[name]!;
      const pairs: SequencePair[] = seen.map((source) => ({ source, target: task(source) }));
      const model = new Transformer(
        {
          sourceVocab: vocab,
          targetVocab: vocab,
          dim: 32,
          heads: 4,
          layers: 1,
          dropout: 0,
          residual: preNorm,
        },
        { seed: 1 },
      );
      const steps = 600;
      const optimizer = adam({ lr: cosine(5e-3, { steps, warmup: 60 }), beta2: 0.98 });
      const step = supervised(model, sequenceLoss(), optimizer);
      const batches = new SequenceBatches(pairs, { ...model.config, rows: 64, lengths: [6], seed: 1 });
      for await (const event of train(step, batches, { steps, seed: 1 })) {
        if (event.type === 'done') expect(event.reason).toBe('steps');
      }
      const decoded = await greedy(model, heldOut, { maxLength: 7 });
      expect(decoded.map(({ tokens }) => tokens)).toEqual(heldOut.map(task));
      model.dispose();
    },
    180_000,
  );
});
