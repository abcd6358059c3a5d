import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, FileFormatError, StorageError } from '@poiesis/core';
import { afterAll, describe, expect, it } from 'vitest';
import { EmbeddingIndex } from '../../../src/embedding-index';
import { loadIndex, saveIndex, type UsearchPrecision, usearch } from '../../../src/node/embedding-index';
import { manyVectors, names } from '../../embedding-index/vectors';

const folder = mkdtempSync(join(tmpdir(), 'poiesis-index-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COUNT = 3000;
const DIM = 32;

/** How many of the exact ten are among the approximate ten, on average. */
async function recall(index: EmbeddingIndex): Promise<number> {
  const queries = manyVectors(50, DIM, 2);
  const approximate = await index.searchMany(queries);
  const exact = await index.searchMany(queries, { exact: true });
  let hits = 0;
  for (const [q, list] of exact.entries()) {
    const found = new Set(approximate[q]!.map(({ id }) => id));
    hits += list.filter(({ id }) => found.has(id)).length / list.length;
  }
  return hits / exact.length;
}

describe('approximate search', () => {
  it.each<UsearchPrecision>(['i8', 'f16', 'f32'])(
    'finds nearly all in %s, with exact scores',
    async (precision) => {
      const index = new EmbeddingIndex(DIM, { approximate: await usearch({ precision, threads: 1 }) });
      await index.add(names(COUNT), manyVectors(COUNT, DIM));
      expect(await recall(index)).toBeGreaterThan(0.97);
      const query = manyVectors(1, DIM, 2);
      const [best] = await index.search(query);
      const [exact] = await index.search(query, { exact: true });
      expect(best!.id).toBe(exact!.id);
      expect(best!.score).toBeCloseTo(exact!.score, 6);
    },
  );

  it('does not find what was removed, and finds what came later', async () => {
    const index = new EmbeddingIndex(DIM, { approximate: await usearch() });
    const vectors = manyVectors(COUNT, DIM);
    await index.add(names(COUNT), vectors);
    await index.remove(names(1000));
    const query = vectors.subarray(0, DIM);
    const found = await index.search(query, { k: 50 });
    expect(found).toHaveLength(50);
    expect(found.every(({ id }) => Number(id.slice(1)) >= 1000)).toBe(true);
    await index.add(['v0'], [query]);
    expect((await index.search(query))[0]!.id).toBe('v0');
    expect(await recall(index)).toBeGreaterThan(0.97);
  });

  it('finds nothing in an emptied index', async () => {
    const index = new EmbeddingIndex(2, { approximate: await usearch() });
    expect(await index.search([1, 0])).toEqual([]);
    await index.add(['a'], [[1, 0]]);
    await index.remove(['a']);
    expect(await index.search([1, 0])).toEqual([]);
  });

  it.each([
    [{ precision: 'f8' as UsearchPrecision }, 'usearch(precision)'],
    [{ connectivity: 1 }, 'usearch(connectivity)'],
    [{ threads: -1 }, 'usearch(threads)'],
  ])('refuses %o', async (options, message) => {
    await expect(usearch(options)).rejects.toThrow(message);
    await expect(usearch(options)).rejects.toSatisfy(ArgumentError.isInstance);
  });
});

describe('a file', () => {
  it('brings back vectors and graph, which go on', async () => {
    const file = join(folder, 'a', 'emoji.index');
    const approximate = await usearch();
    const index = new EmbeddingIndex(DIM, { approximate, meta: { model: 'tiny' } });
    await index.add(names(COUNT), manyVectors(COUNT, DIM));
    await index.remove(['v7']);
    await saveIndex(file, index);

    const again = await loadIndex(file, { approximate });
    expect(again.meta).toEqual({ model: 'tiny' });
    const queries = manyVectors(20, DIM, 2);
    expect(await again.searchMany(queries)).toEqual(await index.searchMany(queries));
    await again.add(['v7', 'late'], manyVectors(2, DIM, 4));
    await again.remove(['v8']);
    expect(await recall(again)).toBeGreaterThan(0.97);
    expect(again.size).toBe(COUNT);

    const exact = await loadIndex(file);
    expect(await exact.searchMany(queries)).toEqual(await index.searchMany(queries, { exact: true }));
    const otherwise = await loadIndex(file, { approximate: await usearch({ connectivity: 8 }) });
    expect(await recall(otherwise)).toBeGreaterThan(0.95);
  });

  it('is saved in turns, and swept of what a killed save left', async () => {
    const file = join(folder, 'b', 'x.index');
    const index = new EmbeddingIndex(2);
    await index.add(['a'], [[1, 0]]);
    await saveIndex(file, index);
    const leftover = join(folder, 'b', '.x.index.01234567-0123-0123-0123-0123456789ab.tmp');
    writeFileSync(leftover, 'half');
    writeFileSync(join(folder, 'b', '.y.index.01234567-0123-0123-0123-0123456789ab.tmp'), 'of another');
    await index.add(['b'], [[0, 1]]);
    const early = saveIndex(file, index);
    await index.add(['c'], [[1, 1]]);
    await Promise.all([early, saveIndex(file, index), saveIndex(file, index)]);
    expect((await loadIndex(file)).size).toBe(3);
    expect(readdirSync(join(folder, 'b')).sort()).toEqual([
      '.y.index.01234567-0123-0123-0123-0123456789ab.tmp',
      'x.index',
    ]);
  });

  it('that is damaged, missing or of another kind is told by name', async () => {
    const file = join(folder, 'c.index');
    const index = new EmbeddingIndex(8);
    await index.add(names(20), manyVectors(20, 8));
    await saveIndex(file, index);
    const bytes = readFileSync(file);
    bytes[bytes.length - 5]! ^= 1;
    writeFileSync(file, bytes);
    await expect(loadIndex(file)).rejects.toThrow(`${file}: expected content with checksum`);
    await expect(loadIndex(file)).rejects.toSatisfy(FileFormatError.isInstance);
    writeFileSync(file, 'no index');
    await expect(loadIndex(file)).rejects.toSatisfy(FileFormatError.isInstance);
    await expect(loadIndex(join(folder, 'nowhere'))).rejects.toSatisfy(StorageError.isInstance);
    await expect(saveIndex('', index)).rejects.toThrow('saveIndex(file): expected a path');
  });
});
