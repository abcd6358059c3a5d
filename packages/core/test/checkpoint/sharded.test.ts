import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  decodeSafetensors,
  encodeSafetensors,
  hostTensor,
  parseShardIndex,
  planShards,
  ShardedSafetensors,
  type StateDict,
  toFloat32,
} from '../../src/checkpoint';
import { ArgumentError, FileFormatError } from '../../src/errors';

const python = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../fixtures/safetensors/sharded/${name}`, import.meta.url)));

const state: StateDict = {
  a: hostTensor(new Float32Array(10).fill(1), [10]),
  b: hostTensor(new Float32Array(5).fill(2), [5]),
  c: hostTensor(new Float32Array(1).fill(3), [1]),
  d: hostTensor([4n], [], 'I64'),
};

describe('ShardedSafetensors', () => {
  it('reads a model that Python sharded', async () => {
    const model = await ShardedSafetensors.open(python('model.safetensors.index.json'), python);
    expect(model.names().sort()).toEqual(['a.bias', 'a.weight', 'b.weight']);
    expect(model.index.totalSize).toBe(68);
    expect(model.info('a.weight')).toMatchObject({ dtype: 'F32', shape: [2, 3] });
    expect([...toFloat32(await model.tensor('a.weight'))]).toEqual([0, 1, 2, 3, 4, 5]);
    const all = await model.stateDict();
    expect(Object.keys(all)).toEqual(model.names());
    expect([...toFloat32(all['b.weight']!)]).toEqual([0, 1, 2, 3]);
    await expect(model.tensor('constructor')).rejects.toSatisfy(ArgumentError.isInstance);
  });

  it('reads what planShards wrote', async () => {
    const { shards, index } = planShards(state, { maxShardBytes: 40 });
    expect([...shards].map(([file, part]) => [file, Object.keys(part)])).toEqual([
      ['model-00001-of-00003.safetensors', ['d']],
      ['model-00002-of-00003.safetensors', ['a']],
      ['model-00003-of-00003.safetensors', ['b', 'c']],
    ]);
    expect(JSON.parse(index)).toMatchObject({ metadata: { total_size: 72 } });
    const model = await ShardedSafetensors.open(new TextEncoder().encode(index), (file) =>
      encodeSafetensors(shards.get(file)!),
    );
    expect(await model.stateDict()).toEqual(state);
  });

  it('gives a tensor larger than a shard a file of its own', () => {
    const { shards } = planShards(state, { maxShardBytes: 1 });
    expect([...shards.values()].map((part) => Object.keys(part))).toEqual([['d'], ['a'], ['b'], ['c']]);
    expect(() => planShards(state, { maxShardBytes: 0 })).toThrow(expect.toSatisfy(ArgumentError.isInstance));
    expect(() => planShards(state, { prefix: '../model' })).toThrow(
      expect.toSatisfy(ArgumentError.isInstance),
    );
  });

  it('finds a shard without a tensor that the index promises', async () => {
    const index = new TextEncoder().encode('{"weight_map":{"a":"x.safetensors","z":"x.safetensors"}}');
    const closed: string[] = [];
    const shard = (name: string) => {
      const bytes = encodeSafetensors({ a: state.a! });
      return {
        name,
        size: bytes.length,
        read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
        close: async () => void closed.push(name),
      };
    };
    const opening = ShardedSafetensors.open(index, shard);
    await expect(opening).rejects.toThrow('expected shard x.safetensors to hold "z", got no such tensor');
    expect(closed).toEqual(['x.safetensors']);
  });
});

describe('parseShardIndex', () => {
  it('takes metadata of any kind', () => {
    const { weightMap, totalSize } = parseShardIndex(
      new TextEncoder().encode(
        '{"x":[1],"metadata":{"y":{"z":null}},"weight_map":{"__proto__":"a b.safetensors"}}',
      ),
    );
    expect([...weightMap]).toEqual([['__proto__', 'a b.safetensors']]);
    expect(totalSize).toBeUndefined();
  });

  it.each([
    '../a.safetensors',
    'a/../../b.safetensors',
    '/etc/a.safetensors',
    'C:\\a.safetensors',
    'C:a.safetensors',
    '.a.safetensors',
    'a\0.safetensors',
    'pytorch_model.bin',
    '',
    `${'a'.repeat(300)}.safetensors`,
  ])('refuses the file name %j', (name) => {
    const bytes = new TextEncoder().encode(JSON.stringify({ weight_map: { a: name } }));
    expect(() => parseShardIndex(bytes)).toThrow('the plain name of a .safetensors file');
  });

  it.each([
    ['', 'an object'],
    ['[]', 'an object'],
    ['{}', 'a "weight_map"'],
    ['{"weight_map":{"a":1}}', 'a string'],
    ['{"weight_map":{},"weight_map":{}}', 'distinct keys'],
    ['{"weight_map":{"a":"a.safetensors","a":"b.safetensors"}}', 'distinct keys, got "a" twice'],
    ['{"metadata":{"total_size":-1},"weight_map":{}}', 'a whole number'],
    ['{"weight_map":{}} x', 'the end of the JSON text'],
    ['{"weight_map":{}', '"," or "}"'],
  ])('refuses %j', (json, expected) => {
    expect(() => parseShardIndex(new TextEncoder().encode(json), 'i.json')).toThrow(expected);
    expect(() => parseShardIndex(new TextEncoder().encode(json), 'i.json')).toThrow(
      expect.toSatisfy(FileFormatError.isInstance),
    );
  });

  it('refuses other encodings', () => {
    expect(() => parseShardIndex(new Uint8Array([0xff, 0xfe, 0x7b, 0]))).toThrow('JSON in UTF-8');
  });
});

it('shards are files of their own', () => {
  const { shards } = planShards(state, { maxShardBytes: 40 });
  for (const part of shards.values()) expect(decodeSafetensors(encodeSafetensors(part)).state).toEqual(part);
});
