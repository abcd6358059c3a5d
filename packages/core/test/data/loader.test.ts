import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type Cursor,
  DataLoader,
  type Dataset,
  fromArrays,
  type HostArray,
  hostArray,
  mapDataset,
} from '../../src/data';
import { ArgumentError } from '../../src/errors';
import { hostUniform, permutation, randomKey } from '../../src/random';

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
/** Numbers 0 … n − 1 as an asynchronous dataset whose reads take unequal times. */
const slow = (n: number): Dataset<number> => ({
  length: n,
  get: async (i) => {
    await new Promise((done) => setTimeout(done, (i * 7) % 5));
    return i;
  },
});
const walk = (n: number) => ({
  async *[Symbol.asyncIterator]() {
    for (let i = 0; i < n; i++) yield i;
  },
});

async function read(batch: tf.Tensor): Promise<number[]> {
  const values = [...(await batch.data())];
  batch.dispose();
  return values;
}

async function epochOf(loader: AsyncIterable<tf.Tensor>): Promise<number[][]> {
  const batches: number[][] = [];
  for await (const batch of loader) batches.push(await read(batch));
  return batches;
}

/** The first `count` batches of the endless sequence. */
async function some(loader: DataLoader<number>, count: number, from?: Cursor) {
  const found: { values: number[]; epoch: number; index: number; cursor: Cursor }[] = [];
  for await (const { batch, ...rest } of loader.batches({ from })) {
    found.push({ values: await read(batch), ...rest });
    if (found.length === count) break;
  }
  return found;
}

describe('batching', () => {
  it('makes batches in order, the last one smaller', async () => {
    const loader = new DataLoader(range(7), { batchSize: 3 });
    expect(loader.length).toBe(3);
    expect(await epochOf(loader)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });

  it('leaves out the last one where asked', async () => {
    const loader = new DataLoader(range(7), { batchSize: 3, dropLast: true });
    expect(loader.length).toBe(2);
    expect(await epochOf(loader)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    const walked = new DataLoader(walk(7), { batchSize: 3, dropLast: true });
    expect(walked.length).toBeUndefined();
    expect(await epochOf(walked)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });

  it('keeps the order of asynchronous reads', async () => {
    const loader = new DataLoader(slow(20), { batchSize: 6, concurrency: 4, prefetch: 3 });
    expect((await epochOf(loader)).flat()).toEqual(range(20));
  });

  it('limits the reads under way', async () => {
    let under = 0;
    let most = 0;
    const counted: Dataset<number> = {
      length: 64,
      get: async (i) => {
        most = Math.max(most, ++under);
        await new Promise((done) => setTimeout(done, 1));
        under--;
        return i;
      },
    };
    await epochOf(new DataLoader(counted, { batchSize: 32, concurrency: 5, prefetch: 0 }));
    expect(most).toBe(5);
  });

  it('walks iterables, synchronous ones too', async () => {
    expect(await epochOf(new DataLoader(walk(5), { batchSize: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
    expect(await epochOf(new DataLoader(new Set(range(5)), { batchSize: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
  });

  it('types batches after samples', () => {
    const images = fromArrays({ image: hostArray(new Uint8Array(8), [2, 2, 2]), name: ['a', 'b'] });
    const loader = new DataLoader(images, { batchSize: 2 });
    expectTypeOf(loader).toEqualTypeOf<
      DataLoader<{ image: HostArray; name: string }, { image: tf.Tensor; name: string[] }>
    >();
    const custom = new DataLoader(images, { batchSize: 2, collate: (samples) => samples.length });
    expectTypeOf(custom).toExtend<AsyncIterable<number>>();
  });
});

describe('shuffling', () => {
  it('is permutation(key of seed and epoch), anew each epoch', async () => {
    const loader = new DataLoader(range(10), { batchSize: 4, shuffle: true, seed: 3 });
    for (const epoch of [0, 1, 2]) {
      const order = [...permutation(randomKey(3).fold(epoch), 10)];
      expect((await epochOf(loader)).flat()).toEqual(order);
      expect((await epochOf(loader.epoch(epoch))).flat()).toEqual(order);
    }
  });

  it('goes on from every cursor as if it had never stopped', async () => {
    const options = { batchSize: 4, shuffle: true, seed: 1, prefetch: 2 };
    for (const dropLast of [false, true]) {
      const loader = new DataLoader(range(10), { ...options, dropLast });
      const all = await some(loader, 9);
      expect(all[0]).toMatchObject({ epoch: 0, index: 0 });
      for (const [i, { cursor }] of all.slice(0, -1).entries()) {
        const rest = await some(new DataLoader(range(10), { ...options, dropLast }), 9 - i - 1, cursor);
        expect(rest).toEqual(all.slice(i + 1));
      }
    }
  });

  it('shuffles walks within a window, and resumes them too', async () => {
    const options = { batchSize: 7, shuffle: { window: 16 }, seed: 5 };
    const all = await some(new DataLoader(walk(50), options), 20);
    const first = all.filter((b) => b.epoch === 0).flatMap((b) => b.values);
    expect(first).not.toEqual(range(50));
    expect(first.toSorted((a, b) => a - b)).toEqual(range(50));
    for (const [position, value] of first.entries()) expect(value).toBeLessThanOrEqual(position + 16);
    expect(all.filter((b) => b.epoch === 1).flatMap((b) => b.values)).not.toEqual(first);
    for (const i of [0, 3, 7, 8, 12]) {
      expect(await some(new DataLoader(walk(50), options), 20 - i - 1, all[i]!.cursor)).toEqual(
        all.slice(i + 1),
      );
    }
  });

  it('mixes well with a window of the whole length', async () => {
    const counts = new Array(8).fill(0);
    const loader = new DataLoader(walk(8), { batchSize: 8, shuffle: { window: 8 } });
    for (let e = 0; e < 800; e++) counts[(await epochOf(loader.epoch(e)))[0]![0]!]++;
    for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(40);
  });

  it('gives each access the randomness of seed, epoch and index', async () => {
    const noisy = mapDataset(range(6), (_, { key }) => hostUniform(key, 1)[0]!);
    const loader = new DataLoader(noisy, { batchSize: 6, seed: 2 });
    const [[first], [again], [next]] = [
      await epochOf(loader.epoch(0)),
      await epochOf(loader.epoch(0)),
      await epochOf(loader.epoch(1)),
    ];
    expect(again).toEqual(first);
    expect(next).not.toEqual(first);
    expect(new Set(first).size).toBe(6);
  });

  it('allows another batch size after a cursor', async () => {
    const [stop] = await some(new DataLoader(range(10), { batchSize: 3, shuffle: true }), 1);
    const rest = await some(new DataLoader(range(10), { batchSize: 5, shuffle: true }), 2, stop!.cursor);
    const order = [...permutation(randomKey(0).fold(0), 10)];
    expect(rest.flatMap((b) => b.values)).toEqual(order.slice(3));
  });
});

describe('prefetch', () => {
  it('works ahead by its number of batches and no further', async () => {
    let started = 0;
    const counted: Dataset<number> = {
      length: 100,
      get(i) {
        started = Math.max(started, i + 1);
        return i;
      },
    };
    for (const prefetch of [0, 1, 3]) {
      started = 0;
      let taken = 0;
      for await (const batch of new DataLoader(counted, { batchSize: 2, prefetch })) {
        batch.dispose();
        await new Promise((done) => setTimeout(done, 2));
        taken++;
        expect(started).toBe(2 * (taken + prefetch));
        if (taken === 5) break;
      }
    }
  });

  it('leaves no tensor behind: whole epochs, abandoned ones, errors', async () => {
    const data = fromArrays({ x: hostArray(new Uint8Array(64), [16, 4], [0, 1]), y: range(16) });
    const collate = (samples: readonly { x: HostArray; y: number }[]) => ({
      ys: [tf.tensor1d(samples.map(({ y }) => y))],
    });
    const failing = {
      length: 16,
      get: (i: number) => (i < 9 ? data.get(i) : Promise.reject(new Error('disk'))),
    };
    await expectNoLeak(async () => {
      for await (const batch of new DataLoader(data, { batchSize: 4 })) tf.dispose(batch);
      for await (const batch of new DataLoader(data, { batchSize: 4, prefetch: 3 })) {
        tf.dispose(batch);
        break;
      }
      for await (const { batch } of new DataLoader(data, { batchSize: 4, collate, prefetch: 3 }).batches()) {
        tf.dispose(batch);
        break;
      }
      const run = async () => {
        for await (const batch of new DataLoader(failing as Dataset<{ x: HostArray; y: number }>, {
          batchSize: 2,
          collate,
          prefetch: 6,
        }))
          tf.dispose(batch);
      };
      await expect(run()).rejects.toThrow('disk');
    });
  });

  it('frees what was still in preparation when the loop was left', async () => {
    const before = tf.memory().numTensors;
    const loader = new DataLoader(slow(40), {
      batchSize: 8,
      collate: (s) => tf.tensor1d([...s]),
      prefetch: 3,
    });
    for await (const batch of loader) {
      batch.dispose();
      break;
    }
    await new Promise((done) => setTimeout(done, 60));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('closes an abandoned walk', async () => {
    let closed = 0;
    const source = {
      async *[Symbol.asyncIterator]() {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          closed++;
        }
      },
    };
    for (const shuffle of [false, { window: 10 }] as const) {
      for await (const batch of new DataLoader(source, { batchSize: 2, shuffle })) {
        batch.dispose();
        break;
      }
    }
    expect(closed).toBe(2);
  });

  it('delivers what came before an error, then the error, then nothing', async () => {
    const failing: Dataset<number> = {
      length: 10,
      get: (i) => {
        if (i === 5) throw new Error('sample 5 is broken');
        return i;
      },
    };
    for (const dataset of [
      failing,
      {
        [Symbol.iterator]: () =>
          range(10)
            .map((i) => failing.get(i))
            .values(),
      },
    ]) {
      const batches = new DataLoader<number>(dataset as Dataset<number>, { batchSize: 2, prefetch: 4 }).epoch(
        0,
      );
      const seen: number[] = [];
      await expect(async () => {
        for await (const batch of batches) seen.push(...(await read(batch)));
      }).rejects.toThrow('sample 5 is broken');
      expect(await batches.next()).toEqual({ done: true, value: undefined });
      if (dataset === failing) expect(seen).toEqual([0, 1, 2, 3]);
    }
  });
});

describe('wrong input', () => {
  it('names wrong options', () => {
    const make =
      (options: object, data: unknown = range(3)) =>
      () =>
        new DataLoader(data as number[], { batchSize: 1, ...options });
    expect(make({ batchSize: 0 })).toThrow(
      'DataLoader(options.batchSize): expected a positive integer, got 0',
    );
    expect(make({ prefetch: -1 })).toThrow('options.prefetch');
    expect(make({ seed: 0.5 })).toThrow('options.seed');
    expect(make({ concurrency: 0 })).toThrow('options.concurrency');
    expect(make({ collate: 3 })).toThrow('options.collate');
    expect(make({ shuffle: { window: 0 } }, walk(2))).toThrow('options.shuffle.window');
    expect(make({ shuffle: { window: 3 } })).toThrow('options.shuffle');
    expect(make({ shuffle: true }, walk(2))).toThrow('{ window }');
    expect(make({}, { length: 3 })).toThrow('DataLoader(dataset)');
    expect(make({}, 3)).toThrow(ArgumentError);
  });

  it('does not spin over nothing', async () => {
    const next = (data: unknown, options = {}) =>
      new DataLoader(data as number[], { batchSize: 4, ...options }).batches().next();
    await expect(next([])).rejects.toThrow('enough samples for one batch');
    await expect(next(range(3), { dropLast: true })).rejects.toThrow('enough samples for one batch');
    await expect(next({ *[Symbol.iterator]() {} })).rejects.toThrow('at least one batch');
    expect(await epochOf(new DataLoader([] as number[], { batchSize: 4 }))).toEqual([]);
    const once = new DataLoader(range(4).values(), { batchSize: 4, prefetch: 0 }).batches();
    tf.dispose((await once.next()).value?.batch);
    await expect(once.next()).rejects.toThrow('generator object');
  });

  it('refuses cursors that cannot be', () => {
    const loader = new DataLoader(range(4), { batchSize: 2 });
    expect(() => loader.batches({ from: { epoch: -1, index: 0 } })).toThrow('from.epoch');
    expect(() => loader.batches({ from: { epoch: 0, index: 0.5 } })).toThrow('from.index');
    return expect(loader.batches({ from: { epoch: 0, index: 5 } }).next()).rejects.toThrow('from.index');
  });

  it('names sample, field and shapes where samples are not alike', async () => {
    const ragged = range(8).map((i) => ({
      x: hostArray(new Float32Array(i === 5 ? 3 : 4), [i === 5 ? 3 : 4]),
    }));
    const loader = new DataLoader(ragged, { batchSize: 4 });
    await expect(epochOf(mapBatches(loader))).rejects.toThrow(
      "collate(sample 5, field 'x'): expected shape [4], as in sample 4, got [3]",
    );
  });
});

async function* mapBatches(loader: AsyncIterable<{ x: tf.Tensor }>) {
  for await (const { x } of loader) yield x;
}
