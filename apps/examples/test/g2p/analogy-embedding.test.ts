import '@poiesis/backend-onnx';
import { Embedding, randomKey, useBackend } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Alignment } from '../../src/g2p/alignment';
import { Analogies } from '../../src/g2p/analogies';
import { AnalogyEmbedding, AnalogyTokens } from '../../src/g2p/analogy-embedding';

// Words over letters 3 to 6, a phone for each letter: that of letter n is n + 4, but 15 for a 3 at the end.
const soundOf = (word: readonly number[]) =>
  word.map((letter, i) => (letter === 3 && i === word.length - 1 ? 15 : letter + 4));
const words = [
  [3, 4, 5],
  [3, 4, 5, 6],
  [6, 5, 3],
  [4, 6, 5, 3],
  [5, 5],
];
// As often as it takes to be told apart: words that begin with no other word's letter.
const many = Array.from({ length: 30 }, () => words).flat();
const spoken = many.map((letters) => ({ letters, phones: soundOf(letters) }));
const alignment = new Alignment(spoken, { letters: 7, phones: 16 });
const options = { count: 1, most: 100 };
const analogies = Analogies.of(spoken, alignment, options);

describe('Analogies', () => {
  const number = (word: number[], i: number) => {
    const place = analogies.letters
      .join(' ')
      .split(' 0')
      .findIndex((other) => other.trim() === word.join(' '));
    const start = many.slice(0, place).reduce((sum, { length }) => sum + length + 1, 0);
    return analogies.parts[start + i]!;
  };

  it('number the frequent parts of each letter', () => {
    expect(analogies.kinds).toBe(3);
    expect([0, 1, 2].map((i) => number([4, 6, 5, 3], i))).toEqual([1, 1, 1]);
    // A 3 has two.
    expect([number([3, 4, 5], 0), number([6, 5, 3], 2)].sort()).toEqual([1, 2]);
  });

  it('are of other words that begin alike, and that end alike', () => {
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => number([3, 4, 5, 6], i));
    expect(analogies.of([3, 4, 5, 5])).toEqual([
      [a, b, c, 0],
      [0, 0, c, c],
    ]);
    expect(analogies.of([3, 6, 6])).toEqual([
      [a, 0, 0],
      [0, 0, d],
    ]);
  });

  it('are of as many words at each end as one asks for', () => {
    const [a, b, c] = [0, 1, 2].map((i) => number([3, 4, 5, 6], i));
    expect(Analogies.of(spoken, alignment, { ...options, count: 2 }).of([3, 4, 5, 5])).toEqual([
      [a, b, c, 0],
      [a, b, c, 0],
      [0, 0, c, c],
      [0, 0, c, c],
    ]);
  });

  it('number no more parts than there is room for, the most frequent ones', () => {
    const more = [...spoken, ...spoken.filter(({ letters }) => letters.at(-1) === 3)];
    const few = Analogies.of(more, alignment, { ...options, most: 1 });
    expect(few.kinds).toBe(2);
    // A 3 sounds more often as it does at the end.
    expect(few.of([3, 4, 5, 5])[0]).toEqual([0, 1, 1, 0]);
    expect(few.of([6, 6, 5, 3])[1]).toEqual([0, 1, 1, 1]);
  });

  it('are never of the word itself', () => {
    const rare = { letters: [6, 6, 6], phones: [10, 10, 10] };
    const single = Analogies.of([...spoken, rare], alignment, options);
    expect(single.of([6, 6, 6])[0]).toEqual([single.of([6, 4])[0]![0], 0, 0]);
  });

  it('come back from their tables', () => {
    const again = new Analogies(analogies.letters, analogies.parts, 1);
    expect(again.kinds).toBe(analogies.kinds);
    for (const word of [...words, [3, 4, 5, 5], [6, 6]]) expect(again.of(word)).toEqual(analogies.of(word));
  });
});

describe.each(['cpu', 'wasm', 'onnx'])('AnalogyEmbedding on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  const tokens = new AnalogyTokens(7, analogies);
  const word = [3, 4, 5, 5];

  it('reads what was packed into tokens', async () => {
    const packed = tokens.of(word);
    expect(Math.max(...packed)).toBeLessThan(tokens.vocab);
    const read = tokens.read(tf.tensor1d(packed, 'int32'));
    expect(Array.from(await read.letters.data())).toEqual(word);
    for (const [i, parts] of analogies.of(word).entries())
      expect(Array.from(await read.parts[i]!.data())).toEqual(parts);
  });

  it('reads the largest tokens exactly', async () => {
    const kinds = AnalogyTokens.mostParts(31, 2) + 1;
    const parts = Int32Array.from({ length: kinds + 1 }, (_, i) => i % kinds);
    const words = new Int32Array(kinds + 1).fill(1).with(kinds, 0);
    const large = new AnalogyTokens(31, new Analogies(words, parts, 2));
    const last = large.vocab - 1;
    expect(last).toBeGreaterThan(2e9);
    expect(last).toBeLessThan(2 ** 31);
    const read = large.read(tf.tensor1d([last, last - 1, last - 31], 'int32'));
    expect(Array.from(await read.letters.data())).toEqual([30, 29, 30]);
    const most = kinds - 1;
    const expected = [
      [most, most, most - 1],
      [most, most, most],
    ];
    for (const [i, part] of read.parts.entries())
      expect(Array.from(await part.data())).toEqual(expected[Math.min(i, 1)]);
  });

  it('adds the vectors of letters and parts', async () => {
    const letters = new Embedding(7, 4, { key: randomKey(1) });
    const layer = new AnalogyEmbedding(letters, tokens, 4, { key: randomKey(2) });
    const ids = tf.tensor2d([tokens.of(word)], undefined, 'int32');
    const known = analogies.of(word);
    const rows = (embedding: Embedding, at: number[]) =>
      tf.gather(embedding.weight, tf.tensor1d(at, 'int32'));
    // Letter by letter, part by part.
    const at = (parts: number[]) => parts.map((part, j) => 7 * part + word[j]!);
    const sum = tf.addN([rows(letters, word), ...known.map((parts, i) => rows(layer.known[i]!, at(parts)))]);
    expect(layer.forward(ids)).toBeAllClose(tf.expandDims(sum, 0), 1e-6);
    await expectNoLeak(() => layer.forward(ids).dispose());
    const { words, parts } = await layer.stateDict();
    expect([words!.dtype, parts!.dtype]).toEqual(['I32', 'I32']);
  });
});
