import { ArgumentError } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EmbeddingIndex, type GraphProvider } from '../../src/embedding-index';
import { byDefinition, manyVectors, names } from './vectors';

async function indexOf(vectors: Float32Array, dim: number): Promise<EmbeddingIndex> {
  const index = new EmbeddingIndex(dim);
  await index.add(names(vectors.length / dim), vectors);
  return index;
}

describe('exact search', () => {
  // 300 rows of 4096 values are two blocks.
  it.each([
    [1, 1],
    [50, 3],
    [700, 17],
    [300, 4096],
  ])('finds the nearest of %i vectors of %i values', async (count, dim) => {
    const vectors = manyVectors(count, dim);
    const index = await indexOf(vectors, dim);
    const queries = manyVectors(7, dim, 2);
    const k = Math.min(10, count);
    const found = await index.searchMany(queries, { k });
    for (let q = 0; q < 7; q++) {
      const query = queries.subarray(q * dim, (q + 1) * dim);
      const expected = byDefinition(vectors, query, k);
      expect(found[q]!.map((match) => match.id)).toEqual(expected.map(({ row }) => `v${row}`));
      expect(found[q]!.map((match) => match.score)).toBeAllClose(
        expected.map(({ score }) => score),
        1e-5,
      );
      expect(await index.search(query, { k })).toEqual(found[q]);
    }
  });

  it('finds the same on the backend', async () => {
    const index = await indexOf(manyVectors(500, 32), 32);
    const queries = manyVectors(5, 32, 3);
    const host = await index.searchMany(queries);
    const backend = await index.searchMany(queries, { compute: 'backend' });
    expect(backend.map((list) => list.map(({ id }) => id))).toEqual(
      host.map((list) => list.map(({ id }) => id)),
    );
    expect(backend.flatMap((list) => list.map(({ score }) => score))).toBeAllClose(
      host.flatMap((list) => list.map(({ score }) => score)),
      1e-5,
    );
  });

  it('gives equal scores in the order in which they were added, also after a removal', async () => {
    const index = new EmbeddingIndex(2);
    await index.add(names(6), new Float32Array([0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0]));
    await index.remove(['v0', 'v2']);
    const found = await index.search([2, 0], { k: 3 });
    expect(found).toEqual([
      { id: 'v1', score: 1 },
      { id: 'v3', score: 1 },
      { id: 'v4', score: 1 },
    ]);
  });

  it('takes tensors, flat arrays and arrays of vectors', async () => {
    const index = new EmbeddingIndex(2);
    const tensor = tf.tensor2d([
      [3, 0],
      [0, 5],
    ]);
    await index.add(['a', 'b'], tensor);
    tensor.dispose();
    await index.add(['c'], new Float32Array([1, 1]));
    await index.add(['d'], [[-1, 0]]);
    const query = tf.tensor1d([1, 0.1]);
    expect((await index.search(query)).map(({ id }) => id)).toEqual(['a', 'c', 'b', 'd']);
    const row = tf.tensor2d([[1, 0.1]]);
    expect((await index.search(row, { k: 1 }))[0]!.id).toBe('a');
    tf.dispose([query, row]);
  });

  it('is empty at first', async () => {
    const index = new EmbeddingIndex(2);
    expect(await index.search([1, 0])).toEqual([]);
    expect(await index.searchMany([])).toEqual([]);
    await index.add([], []);
    expect(index.size).toBe(0);
  });

  it('leaves no tensors behind', async () => {
    const vectors = tf.tensor2d(manyVectors(20, 8), [20, 8]);
    await expectNoLeak(async () => {
      const index = new EmbeddingIndex(8);
      await index.add(names(20), vectors);
      await index.searchMany(vectors, { compute: 'backend' });
    });
    vectors.dispose();
  });
});

describe('adding and removing', () => {
  it('holds what a map would hold', async () => {
    const ids = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 20 });
    const change = fc.oneof(
      fc.record({ add: ids }),
      fc.record({ remove: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 20 }) }),
    );
    const vectorOf = (id: number) => manyVectors(1, 5, id + 1);
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
        const index = new EmbeddingIndex(5);
        const model = new Set<number>();
        for (const step of changes) {
          if ('add' in step) {
            const fresh = step.add.filter((id) => !model.has(id));
            await index.add(fresh.map(String), fresh.map(vectorOf));
            for (const id of fresh) model.add(id);
          } else {
            const there = new Set(step.remove.filter((id) => model.has(id)));
            expect(await index.remove(step.remove.map(String))).toBe(there.size);
            for (const id of there) model.delete(id);
          }
        }
        expect(new Set(index.ids)).toEqual(new Set([...model].map(String)));
        for (const id of model) {
          expect(index.has(`${id}`)).toBe(true);
          const [best] = await index.search(vectorOf(id), { k: 1 });
          expect(best!.id).toBe(`${id}`);
          expect(best!.score).toBeCloseTo(1, 6);
        }
        expect(await index.search(vectorOf(99), { k: 100 })).toHaveLength(model.size);
      }),
      { numRuns: 60 },
    );
  });

  it('sets lengths to 1 and hands out copies', async () => {
    const index = new EmbeddingIndex(2);
    await index.add(['a'], [[3, 4]]);
    const vector = index.vector('a')!;
    expect(vector).toBeAllClose([0.6, 0.8], 1e-6);
    vector.fill(0);
    expect(index.vector('a')).toBeAllClose([0.6, 0.8], 1e-6);
    expect(index.vector('b')).toBeUndefined();
  });

  it('adds all or nothing', async () => {
    const index = new EmbeddingIndex(2);
    await index.add(['a'], [[1, 0]]);
    for (const add of [
      () => index.add(['b', 'a'], new Float32Array([1, 0, 0, 1])),
      () => index.add(['b', 'c'], new Float32Array([1, 0, 0, 0])),
      () => index.add(['b', 'c'], new Float32Array([1, 0, Number.NaN, 0])),
    ]) {
      await expect(add()).rejects.toSatisfy(ArgumentError.isInstance);
      expect(index.ids).toEqual(['a']);
    }
  });

  it('takes back what a graph refuses', async () => {
    let full = false;
    const approximate: GraphProvider = {
      signature: 'double',
      create: () => ({
        size: 0,
        add: () => {
          if (full) throw new Error('full');
        },
        remove: () => {},
        search: () => [0, 1, 2],
        save: async () => new Uint8Array(),
      }),
      load: async () => {
        throw new Error('not in this test');
      },
    };
    const index = new EmbeddingIndex(2, { approximate });
    await index.add(['a'], [[1, 0]]);
    full = true;
    await expect(index.add(['b'], [[0, 1]])).rejects.toThrow('full');
    expect(index.ids).toEqual(['a']);
    expect(await index.search([1, 0])).toEqual([{ id: 'a', score: 1 }]);
  });

  it('works through calls that are not awaited one after the other', async () => {
    const index = new EmbeddingIndex(3);
    const [, , found, removed] = await Promise.all([
      index.add(['a'], [[1, 0, 0]]),
      index.add(['b'], [[0, 1, 0]]),
      index.search([0, 1, 0], { compute: 'backend' }),
      index.remove(['b', 'nobody']),
    ]);
    expect(found[0]!.id).toBe('b');
    expect(removed).toBe(1);
    expect(index.ids).toEqual(['a']);
  });
});

describe('wrong input', () => {
  const index = new EmbeddingIndex(2);
  it.each<[string, () => unknown, string]>([
    ['a width that is none', () => new EmbeddingIndex(0), 'EmbeddingIndex(dim): expected a positive whole'],
    [
      'vectors of another width',
      () => index.add(['a'], [[1, 2, 3]]),
      'EmbeddingIndex.add(vectors[0]): expected 2 values, got "3 values"',
    ],
    [
      'a tensor of another width',
      () => index.add(['a'], tf.zeros([1, 3])),
      'EmbeddingIndex.add(vectors): expected [n, 2], got [1, 3]',
    ],
    [
      'a flat array that does not divide',
      () => index.add(['a'], new Float32Array(3)),
      'expected vectors of 2 values, got "3 values"',
    ],
    ['another number of ids', () => index.add(['a', 'b'], [[1, 2]]), 'expected 2 vectors, one per id, got 1'],
    ['an id twice', () => index.add(['a', 'a'], new Float32Array([1, 2, 3, 4])), '\\"a\\" twice'],
    ['an empty id', () => index.add([''], [[1, 2]]), 'strings that are not empty'],
    ['zeros', () => index.add(['a'], [[0, 0]]), 'expected vectors with a direction, got "zeros in vector 0"'],
    [
      'NaN',
      () => index.add(['a', 'b'], new Float32Array([1, 2, 3, Number.NaN])),
      'expected finite values, got "NaN in vector 1"',
    ],
    ['a query of another width', () => index.search([1, 2, 3]), 'EmbeddingIndex.search(query'],
    ['two queries for one', () => index.search(tf.zeros([2, 2])), 'expected [2] or [1, 2], got [2, 2]'],
    ['k of 0', () => index.search([1, 2], { k: 0 }), 'options.k'],
    ['fewer candidates than k', () => index.search([1, 2], { k: 5, candidates: 4 }), 'at least k, 5, got 4'],
  ])('%s', async (_, call, message) => {
    await expect(async () => call()).rejects.toThrow(message);
    await expect(async () => call()).rejects.toSatisfy(ArgumentError.isInstance);
    expect(index.size).toBe(0);
  });
});
