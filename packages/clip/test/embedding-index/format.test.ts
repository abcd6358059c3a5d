import { encodeSafetensors, FileFormatError, hostTensor } from '@poiesis/core';
import { expect, it } from 'vitest';
import { decodeIndex, EmbeddingIndex, encodeIndex, type GraphProvider } from '../../src/embedding-index';
import { manyVectors, names } from './vectors';

async function bytesOf(index: EmbeddingIndex): Promise<Uint8Array> {
  return new Uint8Array(
    await new Blob((await encodeIndex(index)) as Uint8Array<ArrayBuffer>[]).arrayBuffer(),
  );
}

async function small(): Promise<EmbeddingIndex> {
  const index = new EmbeddingIndex(3, { meta: { model: 'tiny' } });
  await index.add([...names(6), 'ünï 猫 "\n'], manyVectors(7, 3));
  await index.remove(['v1']);
  return index;
}

it('comes back as it was, and goes on', async () => {
  const index = await small();
  const again = await decodeIndex(await bytesOf(index));
  expect(again.meta).toEqual({ model: 'tiny' });
  expect(again.ids).toEqual(index.ids);
  for (const id of index.ids) expect(again.vector(id)).toEqual(index.vector(id));
  for (const either of [index, again]) {
    await either.remove(['v4']);
    await either.add(['v1', 'new'], manyVectors(2, 3, 5));
  }
  const query = manyVectors(1, 3, 9);
  expect(await again.search(query)).toEqual(await index.search(query));
  expect(await bytesOf(again)).toEqual(await bytesOf(index));
});

it('comes back empty', async () => {
  const again = await decodeIndex(await bytesOf(new EmbeddingIndex(3)));
  expect(again.size).toBe(0);
  await again.add(['a'], [[1, 2, 3]]);
  expect(again.ids).toEqual(['a']);
});

it('tells every flipped bit from what was saved, or reads the same', async () => {
  const index = await small();
  const bytes = await bytesOf(index);
  const query = manyVectors(1, 3, 9);
  const expected = await index.search(query);
  let refused = 0;
  for (let i = 0; i < bytes.length; i++) {
    const damaged = bytes.slice();
    damaged[i]! ^= 1 << (i % 8);
    try {
      const again = await decodeIndex(damaged);
      expect(await again.search(query), `byte ${i}`).toEqual(expected);
      expect(again.meta).toEqual(index.meta);
    } catch (error) {
      expect(error, `byte ${i}`).toSatisfy(FileFormatError.isInstance);
      refused += 1;
    }
  }
  // What may change without harm: spaces that fill the header up.
  expect(refused).toBeGreaterThan(0.95 * bytes.length);
});

it('tells a truncated file', async () => {
  const bytes = await bytesOf(await small());
  for (let length = 0; length < bytes.length; length += 7) {
    await expect(decodeIndex(bytes.slice(0, length))).rejects.toSatisfy(FileFormatError.isInstance);
  }
});

it('tells other files of the format', async () => {
  const other = encodeSafetensors({ vectors: hostTensor([1, 2], [1, 2]) });
  await expect(decodeIndex(other)).rejects.toThrow(
    'buffer: expected an embedding index, got other safetensors',
  );
});

/** Finds by looking at all, and keeps its keys and vectors in its bytes. */
function plainGraph(signature: string): GraphProvider & { made: string[] } {
  const made: string[] = [];
  const graphOf = (known: Map<number, number[]>, dim: number) => ({
    get size() {
      return known.size;
    },
    add(keys: readonly number[], vectors: Float32Array) {
      for (const [i, key] of keys.entries()) known.set(key, [...vectors.subarray(i * dim, (i + 1) * dim)]);
    },
    remove(keys: readonly number[]) {
      for (const key of keys) known.delete(key);
    },
    search: (query: Float32Array, count: number) =>
      [...known]
        .map(([key, v]) => ({ key, score: v.reduce((sum, x, j) => sum + x * query[j]!, 0) }))
        .sort((a, b) => b.score - a.score)
        .slice(0, count)
        .map(({ key }) => key),
    save: async () => new TextEncoder().encode(JSON.stringify([...known])),
  });
  return {
    made,
    signature,
    create(dim) {
      made.push('created');
      return graphOf(new Map(), dim);
    },
    async load(bytes, dim) {
      made.push('loaded');
      return graphOf(new Map(JSON.parse(new TextDecoder().decode(bytes))), dim);
    },
  };
}

it('keeps the graph, and builds one that is missing or was made otherwise', async () => {
  const provider = plainGraph('plain 1');
  const index = new EmbeddingIndex(3, { approximate: provider });
  await index.add(names(30), manyVectors(30, 3));
  await index.remove(['v3']);
  const query = manyVectors(1, 3, 9);
  const expected = await index.search(query);
  const bytes = await bytesOf(index);

  for (const [approximate, made] of [
    [provider, ['created', 'loaded']],
    [plainGraph('plain 2'), ['created']],
  ] as const) {
    const again = await decodeIndex(bytes, { approximate });
    expect(approximate.made.slice(-1)).toEqual(made.slice(-1));
    expect(await again.search(query)).toEqual(expected);
  }

  const exact = await decodeIndex(bytes);
  expect(await exact.search(query)).toEqual(expected);
  const built = await decodeIndex(await bytesOf(exact), { approximate: provider });
  expect(await built.search(query)).toEqual(expected);
});

it('says which library could not read its graph', async () => {
  const index = new EmbeddingIndex(3, { approximate: plainGraph('plain 1') });
  await index.add(names(3), manyVectors(3, 3));
  const broken = { ...plainGraph('plain 1'), load: () => Promise.reject(new Error('version 9')) };
  const reading = decodeIndex(await bytesOf(index), { approximate: broken });
  await expect(reading).rejects.toThrow('buffer: expected a graph that plain 1 reads, got version 9');
});
