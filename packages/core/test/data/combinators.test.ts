import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  cacheDataset,
  concatDatasets,
  type Dataset,
  fromArrays,
  type HostArray,
  hostArray,
  mapDataset,
  splitDataset,
  subsetDataset,
  takeDataset,
} from '../../src/data';
import { ArgumentError } from '../../src/errors';
import { hostUniform, randomKey } from '../../src/random';

const range = (n: number, from = 0) => Array.from({ length: n }, (_, i) => from + i);
const walk = (n: number) => ({ [Symbol.iterator]: () => range(n).values() });
const all = <S>(dataset: Dataset<S>) => Promise.all(range(dataset.length).map((i) => dataset.get(i)));
async function walked<S>(samples: AsyncIterable<S>): Promise<S[]> {
  const found: S[] = [];
  for await (const sample of samples) found.push(sample);
  return found;
}

describe('mapDataset', () => {
  it('maps what is read, synchronous or not', async () => {
    const reads: number[] = [];
    const squares = mapDataset(range(5), (x, { index }) => {
      reads.push(index);
      return x * x;
    });
    expect(squares.get(3)).toBe(9);
    expect(reads).toEqual([3]);
    expect(await all(mapDataset(squares, async (x) => x + 1))).toEqual([1, 2, 5, 10, 17]);
    expect(await all(mapDataset({ length: 2, get: async (i: number) => i }, (x) => -x))).toEqual([-0, -1]);
    expect(await walked(mapDataset(walk(3), (x, { index }) => `${x}${index}`))).toEqual(['00', '11', '22']);
  });

  it('has a stream of random numbers for each access and each level', () => {
    const draws: number[] = [];
    const level = (below: Dataset<number> | number[]) =>
      mapDataset(below, (x, { key }) => {
        draws.push(hostUniform(key, 1)[0]!);
        return x;
      });
    const twice = level(level(range(4)));
    for (const i of range(4)) twice.get(i, randomKey(1).fold(i));
    expect(new Set(draws).size).toBe(8);
    const first = draws.splice(0);
    for (const i of range(4)) twice.get(i, randomKey(1).fold(i));
    expect(draws).toEqual(first);
    twice.get(0); // no loader, no key: still defined
  });
});

describe('selection', () => {
  it('takes subsets, heads and concatenations', async () => {
    expect(await all(subsetDataset(range(5, 10), [4, 0, 4]))).toEqual([14, 10, 14]);
    expect(await all(takeDataset(range(5), 2))).toEqual([0, 1]);
    expect(await all(takeDataset(range(2), 5))).toEqual([0, 1]);
    expect(await all(concatDatasets([range(2), [], range(3, 10)]))).toEqual([0, 1, 10, 11, 12]);
    expect(await walked(takeDataset(walk(5), 2))).toEqual([0, 1]);
    expect(await walked(takeDataset(walk(5), 0))).toEqual([]);
    expect(await walked(concatDatasets<number>([walk(2), range(2, 5)]))).toEqual([0, 1, 5, 6]);
    expectTypeOf(takeDataset(range(2), 1)).toEqualTypeOf<Dataset<number>>();
    expectTypeOf(concatDatasets<number>([walk(2), range(2)])).toEqualTypeOf<AsyncIterable<number>>();
  });

  it('splits into disjoint parts, the same for the same seed', async () => {
    const parts = splitDataset(range(10), [0.7, 0.3], { seed: 4 });
    const [a, b] = await Promise.all(parts.map(all));
    expect([a!.length, b!.length]).toEqual([7, 3]);
    expect([...a!, ...b!].toSorted((x, y) => x - y)).toEqual(range(10));
    expect(await all(splitDataset(range(10), [0.7, 0.3], { seed: 4 })[1]!)).toEqual(b);
    expect(splitDataset(range(10), [1 / 3, 1 / 3, 1 / 3]).map((p) => p.length)).toEqual([3, 4, 3]);
  });

  it('caches what was read, not what failed', async () => {
    let reads = 0;
    const flaky: Dataset<number> = {
      length: 3,
      get: async (i) => {
        if (++reads === 1) throw new Error('once');
        return i;
      },
    };
    const cached = cacheDataset(flaky);
    await expect(cached.get(1)).rejects.toThrow('once');
    expect(await Promise.all([cached.get(1), cached.get(1)])).toEqual([1, 1]);
    expect(await cached.get(1)).toBe(1);
    expect(reads).toBe(2);
  });

  it('names wrong arguments', () => {
    expect(() => subsetDataset(range(3), [0, 3])).toThrow(
      'subsetDataset(indices[1]): expected an integer from 0 to 2, got 3',
    );
    expect(() => takeDataset(range(3), -1)).toThrow('takeDataset(count)');
    expect(() => splitDataset(range(3), [0.8, 0.3])).toThrow('splitDataset(fractions)');
    expect(() => mapDataset(range(3), 5 as never)).toThrow('mapDataset(fn)');
    expect(() => mapDataset(5 as never, (x) => x)).toThrow(ArgumentError);
  });
});

describe('fromArrays', () => {
  it('gives views of rows', () => {
    const pixels = Uint8Array.from(range(12));
    const data = fromArrays({
      image: hostArray(pixels, [3, 2, 2], [0, 1]),
      label: Int32Array.of(5, 6, 7),
      name: ['a', 'b', 'c'],
    });
    expectTypeOf(data).toEqualTypeOf<Dataset<{ image: HostArray; label: HostArray; name: string }>>();
    expect(data.length).toBe(3);
    expect(data.get(1)).toEqual({
      image: { data: Uint8Array.of(4, 5, 6, 7), shape: [2, 2], range: [0, 1] },
      label: { data: Int32Array.of(6), shape: [] },
      name: 'b',
    });
    const { image } = data.get(2) as { image: HostArray };
    expect(image.data.buffer).toBe(pixels.buffer);
    expect(fromArrays(hostArray(new Float32Array(6), [3, 2])).get(0)).toEqual({
      data: new Float32Array(2),
      shape: [2],
    });
  });

  it('names columns of unequal length', () => {
    expect(() => fromArrays({ x: new Float32Array(3), y: [1, 2] })).toThrow(
      'fromArrays(columns.y): expected 3 samples, as in x, got 2',
    );
    expect(() => fromArrays({})).toThrow('at least one column');
    expect(() => fromArrays({ x: { data: new Float32Array(3), shape: [2] } })).toThrow('3 elements');
    expect(() => fromArrays({ x: 5 as never })).toThrow(ArgumentError);
  });
});
