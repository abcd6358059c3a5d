import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  bufferSource,
  decodeSafetensors,
  encodeCheckpoint,
  encodeSafetensors,
  hostTensor,
  memoryStore,
  readCheckpoint,
  registerStoreFactory,
  storeFor,
  type TrainingCheckpoint,
} from '../../src/checkpoint';
import { crc32 } from '../../src/checkpoint/crc32';
import { joinBytes } from '../../src/checkpoint/safetensors';
import { ArgumentError, FileFormatError } from '../../src/errors';
import { bitFlips, growth, names, overwriting, states, survive, truncation } from './hostile';

const example: TrainingCheckpoint = {
  step: 600,
  state: {
    generator: { 'model.0.weight': hostTensor([1, 2, 3, 4], [2, 2]), 'a/b': hostTensor([1], []) },
    optimizer: { count: hostTensor([600n], [], 'I64') },
    nothing: {},
  },
  cursor: { epoch: 2, index: 128 },
  seed: -7,
  meta: { note: 'digits "poiesis.crc32":"ffffffff"', best: { loss: 0.5 }, list: [1, null, true] },
};

const encode = (checkpoint: TrainingCheckpoint) => joinBytes(encodeCheckpoint(checkpoint));
const decode = (bytes: Uint8Array) => readCheckpoint(bufferSource(bytes, 'c.safetensors'));
const run = (numRuns: number) => ({ numRuns, seed: 5 });

describe('a checkpoint', () => {
  it('comes back as it was', async () => {
    const bytes = Buffer.from(encode(example));
    const before = bytes.toString('hex');
    expect(await decode(bytes)).toEqual(example);
    expect(bytes.toString('hex')).toBe(before);
  });

  it('is a safetensors file that any reader opens', () => {
    const { state, metadata } = decodeSafetensors(encode(example));
    expect(Object.keys(state).sort()).toEqual([
      'generator/a/b',
      'generator/model.0.weight',
      'optimizer/count',
    ]);
    expect(JSON.parse(metadata['poiesis.checkpoint']!)).toMatchObject({ version: 1, step: 600, seed: -7 });
    expect(metadata['poiesis.crc32']).toMatch(/^[0-9a-f]{8}$/);
    expect(metadata.format).toBe('pt');
  });

  it.each([
    [{ step: 1.5 }, 'step'],
    [{ step: -1 }, 'step'],
    [{ seed: Number.NaN }, 'seed'],
    [{ cursor: { epoch: 0, index: -1 } }, 'cursor.index'],
    [{ state: { 'a/b': {} } }, 'names without "/"'],
    [{ state: { '': {} } }, 'names without "/"'],
    [{ meta: { a: { b: [0, Number.NaN] } } }, 'meta.a.b[1]'],
    [{ meta: { f: () => 1 } }, 'meta.f'],
    [{ meta: { date: new Date() } }, 'meta.date'],
    [{ meta: { array: new Float32Array(1) } }, 'meta.array'],
    [{ meta: { list: [undefined] } }, 'meta.list[0]'],
  ] as [Partial<TrainingCheckpoint>, string][])('refuses %j', (wrong, expected) => {
    expect(() => encode({ ...example, ...wrong })).toThrow(expected);
    expect(() => encode({ ...example, ...wrong })).toThrow(expect.toSatisfy(ArgumentError.isInstance));
  });

  it('refuses meta that contains itself, and drops undefined as JSON does', async () => {
    const meta: Record<string, unknown> = { option: undefined };
    expect((await decode(encode({ ...example, meta }))).meta).toEqual({});
    meta.self = meta;
    expect(() => encode({ ...example, meta })).toThrow('more than 64 levels');
  });

  it('of another program or version is an error', async () => {
    await expect(decode(encodeSafetensors({}))).rejects.toThrow(
      'expected a training checkpoint, got other safetensors',
    );
    const later = resealed(encode(example), '\\"version\\":1', '\\"version\\":2');
    await expect(decode(later)).rejects.toThrow('expected a checkpoint of version 1, got version 2');
    const odd = resealed(encode(example), '\\"step\\":600', '\\"step\\":"6"');
    await expect(decode(odd)).rejects.toSatisfy(FileFormatError.isInstance);
    const stray = resealed(encode(example), 'optimizer/count', 'optimizers/coun');
    await expect(decode(stray)).rejects.toThrow('tensors named <state>/<key>');
  });
});

describe('property:', () => {
  const checkpoints: fc.Arbitrary<TrainingCheckpoint> = fc.record({
    step: fc.nat(),
    seed: fc.maxSafeInteger(),
    cursor: fc.record({ epoch: fc.nat(), index: fc.nat() }),
    state: fc
      .uniqueArray(
        fc.tuple(
          names.filter((name) => name !== '' && !name.includes('/')),
          states,
        ),
        { selector: ([name]) => name, maxLength: 3 },
      )
      .map((entries) => Object.fromEntries(entries)),
    // JSON as JSON has it: no -0.
    meta: fc.dictionary(names, fc.jsonValue()).map((meta) => JSON.parse(JSON.stringify(meta))),
  });

  it('whatever is saved comes back (150)', () =>
    fc.assert(
      fc.asyncProperty(checkpoints, async (checkpoint) => {
        const bytes = encode(checkpoint);
        expect(await survive(bytes, () => decode(bytes))).toEqual(checkpoint);
      }),
      run(150),
    ));

  it('every change to a file is noticed (400)', () =>
    fc.assert(
      fc.asyncProperty(
        checkpoints,
        fc.oneof(bitFlips, bitFlips, overwriting, truncation, growth),
        async (checkpoint, damage) => {
          const bytes = encode(checkpoint);
          const damaged = damage(bytes);
          fc.pre(Buffer.compare(damaged, bytes) !== 0);
          expect(await survive(damaged, () => decode(damaged))).toBeInstanceOf(FileFormatError);
        },
      ),
      run(400),
    ));

  it('so is every single bit', async () => {
    const bytes = encode({ ...example, state: {}, meta: {} });
    for (let i = 0; i < bytes.length * 8; i++) {
      bytes[i >> 3]! ^= 1 << (i & 7);
      await expect(decode(bytes), `bit ${i}`).rejects.toBeInstanceOf(FileFormatError);
      bytes[i >> 3]! ^= 1 << (i & 7);
    }
  });

  it("checksums are zlib's, in pieces too (100)", () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 30 }), (a, b) => {
        expect(crc32(b, crc32(a))).toBe(zlibCrc32(b, zlibCrc32(a)));
      }),
      run(100),
    ));
});

describe('memoryStore', () => {
  it('gives the newest and shares no memory with it', async () => {
    const store = memoryStore({ keep: 2 });
    expect(await store.latest()).toBeNull();
    expect(await store.save(example)).toBe('step-600');
    await store.save({ ...example, step: 601 });
    const latest = await store.latest();
    expect(latest!.step).toBe(601);
    latest!.state.generator!['model.0.weight']!.bytes.fill(0);
    expect(await store.latest()).toEqual({ ...example, step: 601 });
    expect(() => memoryStore({ keep: 0 })).toThrow(expect.toSatisfy(ArgumentError.isInstance));
  });
});

describe('storeFor', () => {
  const FACTORY = Symbol.for('poiesis.checkpoint.storeFactory');
  const registry = globalThis as { [FACTORY]?: unknown };
  afterEach(() => vi.restoreAllMocks());

  it('passes stores on and asks the registered factory about paths', () => {
    const store = memoryStore();
    expect(storeFor(store)).toBe(store);
    const before = registry[FACTORY];
    try {
      delete registry[FACTORY];
      expect(() => storeFor('runs/a')).toThrow('after import \'@poiesis/core/node\', got "runs/a"');
      registerStoreFactory(() => store);
      expect(storeFor('runs/a')).toBe(store);
    } finally {
      registry[FACTORY] = before;
    }
  });
});

/** A file with other text of the same length and a checksum that is right again. */
function resealed(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const latin = Buffer.from(bytes).toString('latin1').replace(from, to);
  const zeroed = latin.replace(/"poiesis\.crc32":"[0-9a-f]{8}"/, '"poiesis.crc32":"00000000"');
  expect(zeroed).toHaveLength(bytes.length);
  const crc = zlibCrc32(Buffer.from(zeroed, 'latin1')).toString(16).padStart(8, '0');
  return Buffer.from(zeroed.replace('"poiesis.crc32":"00000000"', `"poiesis.crc32":"${crc}"`), 'latin1');
}
