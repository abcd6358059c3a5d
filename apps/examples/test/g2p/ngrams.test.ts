import '@poiesis/backend-onnx';
import { ArgumentError, useBackend } from '@poiesis/core';
import { hashed } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Ngrams, ngramsAround } from '../../src/g2p/ngrams';

const vocab = 5;
await useBackend('cpu');
/** Sequences of 1 to 9 tokens from 1 to 4. */
const sequences = Array.from({ length: 60 }, (_, i) => {
  const numbers = Array.from(hashed([9], i).dataSync(), (x) => 1 + (Math.floor(1000 * Math.abs(x)) % 4));
  return numbers.slice(0, 1 + (i % 9));
});

/** The n-gram of a size around a place, as its tokens: what `Ngrams` numbers. */
function plainNgram(sequence: readonly number[], at: number, size: number): string {
  const first = at - Math.floor((size - 1) / 2);
  return Array.from({ length: size }, (_, i) => sequence[first + i] ?? 0).join(' ');
}

function around(known: Ngrams, batch: readonly number[][]): number[][][] {
  return tf.tidy(() => {
    const tables = known.tables.map((table) => tf.tensor1d(table, 'int32'));
    const width = Math.max(...batch.map(({ length }) => length));
    const filled = batch.map((row) => [...row, ...new Array<number>(width - row.length).fill(known.pad)]);
    const found = ngramsAround(tf.tensor2d(filled, undefined, 'int32'), tables, known);
    return found.map((numbers) => numbers.arraySync());
  });
}

describe.each(['cpu', 'wasm', 'onnx'])('Ngrams on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it.each([1, 3, 8])('knows those that come %i times, and each under a number of its own', (minCount) => {
    const known = Ngrams.of(sequences, { vocab, longest: 5, minCount });
    const found = around(known, sequences);
    for (const size of [2, 3, 4, 5]) {
      const times = new Map<string, number>();
      const each = sequences.map((sequence) => sequence.map((_, at) => plainNgram(sequence, at, size)));
      for (const ngram of each.flat()) times.set(ngram, (times.get(ngram) ?? 0) + 1);
      const frequent = [...times].filter(([, count]) => count >= minCount).map(([ngram]) => ngram);
      expect(known.counts[size - 2]).toBe(frequent.length);
      const numbers = new Map<string, Set<number>>();
      each.forEach((ngrams, i) => {
        ngrams.forEach((ngram, at) => {
          const number = found[size - 2]![i]![at]!;
          numbers.set(ngram, (numbers.get(ngram) ?? new Set()).add(number));
        });
      });
      for (const [ngram, given] of numbers) {
        expect(given.size).toBe(1);
        expect([...given][0]! > 0).toBe(frequent.includes(ngram));
      }
      const used = frequent.map((ngram) => [...numbers.get(ngram)!][0]!);
      expect(used.sort((a, b) => a - b)).toEqual(frequent.map((_, i) => i + 1));
    }
  });

  it('does not know what it has not been shown', () => {
    const known = Ngrams.of([[1, 2, 3]], { vocab, longest: 4, minCount: 1 });
    expect(known.counts).toEqual([3, 3, 3]);
    const [two, three, four] = around(known, [[1, 2, 4]]) as [number[][], number[][], number[][]];
    expect(two[0]).toEqual([expect.any(Number), 0, 0]);
    expect(two[0]![0]).toBeGreaterThan(0);
    expect(three[0]![0]).toBeGreaterThan(0);
    expect(four[0]).toEqual([0, 0, 0]);
  });

  it('is the same from its tables', () => {
    const known = Ngrams.of(sequences, { vocab, longest: 4, minCount: 2, pad: 0 });
    const again = new Ngrams(vocab, known.tables);
    expect(again.counts).toEqual(known.counts);
    expect(around(again, sequences)).toEqual(around(known, sequences));
  });

  it('has none where none is frequent', () => {
    const known = Ngrams.of([[1, 2]], { vocab, longest: 3 });
    expect(known.counts).toEqual([0, 0]);
    expect(around(known, [[1, 2]])).toEqual([[[0, 0]], [[0, 0]]]);
  });

  it('names what is wrong', () => {
    const of = (sequences: number[][], options = {}) =>
      Ngrams.of(sequences, { vocab, longest: 3, ...options });
    expect(() => of([[1], [2, 5]])).toThrow('Ngrams.of(sequences[1]): expected tokens in [0, 5), got 5');
    expect(() => of([[1]], { longest: 1 })).toThrow(
      'Ngrams.of(options.longest): expected an integer ≥ 2, got 1',
    );
    expect(() => of([[1]], { pad: -1 })).toThrow('Ngrams.of(options.pad)');
    expect(() => of([[1]], { minCount: 0 })).toThrow('Ngrams.of(options.minCount)');
    expect(() => new Ngrams(5, [new Int32Array(24)])).toThrow(
      'Ngrams(tables[0]): expected 5 · 5 numbers, got 24',
    );
    expect(() => new Ngrams(5, [new Int32Array(24)])).toThrow(ArgumentError);
  });
});
