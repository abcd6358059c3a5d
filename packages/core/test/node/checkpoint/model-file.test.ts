import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hostTensor, SafetensorsFile, type StateDict, toFloat32 } from '../../../src/checkpoint';
import { ArgumentError, FileFormatError, StateDictError, StorageError } from '../../../src/errors';
import { buffer, parameter } from '../../../src/nn/leaf';
import { Module } from '../../../src/nn/module';
import {
  directoryStore,
  fileSource,
  loadModel,
  openSafetensors,
  readSafetensors,
  saveModel,
  writeSafetensors,
  writeShardedSafetensors,
} from '../../../src/node/checkpoint';

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  return { ...real, open: vi.fn(real.open), rename: vi.fn(real.rename) };
});

class Model extends Module {
  weight = parameter(tf.tensor([1, 2, 3, 4], [2, 2]));
  kernel = parameter(tf.reshape(tf.range(0, 6), [1, 2, 3, 1]), { permute: [3, 2, 0, 1] });
  count = buffer(tf.scalar(3, 'int32'), { dtype: 'I64' });
}

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'poiesis-model-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const at = (name: string) => join(dir, name);
const state: StateDict = {
  a: hostTensor([1, 2], [2]),
  b: hostTensor([3], [1], 'F16'),
  c: hostTensor([4, 5, 6], [3]),
};
const diskFull = () => Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }));

describe('saveModel and loadModel', () => {
  it('go there and back', async () => {
    const from = new Model();
    await saveModel(at('new/model.safetensors'), from, { note: 'hello' });
    const to = new Model();
    for (const p of Object.values(to.namedParameters())) p.assign(tf.zerosLike(p));
    expect(await loadModel(at('new/model.safetensors'), to)).toEqual({ missing: [], extra: [] });
    expect(await to.stateDict()).toEqual(await from.stateDict());
    const file = await openSafetensors(at('new/model.safetensors'));
    expect(file.metadata).toEqual({ format: 'pt', note: 'hello' });
    expect(file.info('kernel')!.shape).toEqual([1, 3, 1, 2]);
    await file.close();
    expect(readdirSync(at('new'))).toEqual(['model.safetensors']);
  });

  it('take one model out of a training checkpoint', async () => {
    const model = new Model();
    const name = await directoryStore(dir).save({
      step: 1,
      state: { generator: await model.stateDict(), other: state },
      cursor: { epoch: 0, index: 0 },
      seed: 0,
      meta: {},
    });
    await expect(loadModel(at(name), model)).rejects.toThrow('the keys fit without the prefix "generator/"');
    await loadModel(at(name), model, { prefix: 'generator/' });
    expect(await loadModel(at(name), model, { prefix: 'other/', strict: false })).toEqual({
      missing: ['weight', 'kernel', 'count'],
      extra: ['a', 'c', 'b'], // the order of the file: widest types first
    });
  });

  it('report what does not fit, and change nothing', async () => {
    await writeSafetensors(at('a.safetensors'), { weight: hostTensor([1], [1]), x: hostTensor([1], [1]) });
    const model = new Model();
    const before = await model.stateDict();
    const loading = loadModel(at('a.safetensors'), model);
    await expect(loading).rejects.toSatisfy(StateDictError.isInstance);
    await expect(loading).rejects.toMatchObject({ missing: ['kernel', 'count'], extra: ['x'] });
    expect(await model.stateDict()).toEqual(before);
  });

  it.each([
    ['PK\x03\x04\x14\0\0\0\x08\x08\0\0', /zip archive, as torch\.save writes.*save_file\(torch\.load/],
    ['\x80\x02\x8a\x0al\xfc\x9cF\xf9 j', /Python pickle/],
    ['', /at least 10 bytes, got 0 bytes/],
  ])('say what to do with a file that starts like %j', async (content, message) => {
    writeFileSync(at('model.pt'), Buffer.from(content, 'latin1'));
    await expect(loadModel(at('model.pt'), new Model())).rejects.toThrow(message);
    await expect(loadModel(at('model.pt'), new Model())).rejects.toSatisfy(FileFormatError.isInstance);
  });

  it.each([
    ['nowhere.safetensors', 'no such file or folder'],
    ['.', 'no such file or folder'],
    ['file/x', 'a part of the path is no folder'],
  ])('are typed where the path %j leads nowhere', async (path, reason) => {
    writeFileSync(at('file'), '');
    await expect(loadModel(at(path), new Model())).rejects.toThrow(reason);
    await expect(loadModel(at(path), new Model())).rejects.toSatisfy(StorageError.isInstance);
  });

  it('keep the old file where the new one fails', async () => {
    await saveModel(at('m.safetensors'), new Model());
    const before = readFileSync(at('m.safetensors'));
    vi.mocked(fs.rename).mockImplementationOnce(diskFull);
    await expect(saveModel(at('m.safetensors'), new Model(), { new: 'yes' })).rejects.toThrow(
      'the disk is full',
    );
    expect(readdirSync(dir)).toEqual(['m.safetensors']);
    expect(readFileSync(at('m.safetensors')).equals(before)).toBe(true);
  });
});

describe('openSafetensors', () => {
  it('opens what Python wrote, in one file and in shards, by folder too', async () => {
    const fixtures = fileURLToPath(new URL('../../../fixtures/safetensors', import.meta.url));
    const single = await openSafetensors(join(fixtures, 'types.safetensors'));
    expect([...toFloat32(await single.tensor('scalar'))]).toEqual([7.25]);
    await single.close();
    const sharded = await readSafetensors(join(fixtures, 'sharded'));
    expect([...toFloat32(sharded['a.bias']!)]).toEqual([0, 1, 2]);
    expect(
      Object.keys(await readSafetensors(join(fixtures, 'sharded/model.safetensors.index.json'))).sort(),
    ).toEqual(Object.keys(sharded).sort());
  });

  it('prefers the single file of a folder, and follows links', async () => {
    await writeSafetensors(at('blob'), state);
    symlinkSync(at('blob'), at('model.safetensors'));
    writeFileSync(at('model.safetensors.index.json'), 'broken');
    expect(await readSafetensors(dir)).toEqual(state);
  });

  it('is what a path means for SafetensorsFile.open', async () => {
    await writeSafetensors(at('a.safetensors'), state);
    const file = await SafetensorsFile.open(at('a.safetensors'));
    expect(await file.tensor('b')).toEqual(state.b);
    await file.close();
  });

  it('notices a file that is cut while it is open', async () => {
    await writeSafetensors(at('a.safetensors'), { a: hostTensor(new Float32Array(5000), [5000]) });
    const file = await openSafetensors(at('a.safetensors'));
    truncateSync(at('a.safetensors'), 1000);
    await expect(file.stateDict()).rejects.toSatisfy(FileFormatError.isInstance);
    await file.close();
  });

  it('does not follow an index out of its folder, and names a shard that is missing', async () => {
    writeFileSync(at('x.index.json'), '{"weight_map":{"a":"../a.safetensors"}}');
    await expect(openSafetensors(at('x.index.json'))).rejects.toSatisfy(FileFormatError.isInstance);
    writeFileSync(at('x.index.json'), '{"weight_map":{"a":"a.safetensors"}}');
    await expect(openSafetensors(at('x.index.json'))).rejects.toThrow(
      `${at('a.safetensors')}: cannot read: no such file`,
    );
  });
});

describe('writeShardedSafetensors', () => {
  const index = 'model.safetensors.index.json';

  it('is read back', async () => {
    await writeShardedSafetensors(at(index), state, { maxShardBytes: 20, metadata: { format: 'pt' } });
    expect(readdirSync(dir).sort()).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      index,
    ]);
    expect(await readSafetensors(dir)).toEqual(state);
    await expect(writeShardedSafetensors(at('x.json'), state)).rejects.toSatisfy(ArgumentError.isInstance);
  });

  it('changes nothing where the disk is full', async () => {
    await writeShardedSafetensors(at(index), state, { maxShardBytes: 12 });
    const files = readdirSync(dir).sort();
    for (const nth of [1, 2, 3]) {
      const real = vi.mocked(fs.open).getMockImplementation()!;
      let writes = 0;
      vi.mocked(fs.open).mockImplementation((...args) => {
        return args[1] === 'wx' && ++writes === nth ? diskFull() : real(...args);
      });
      const saving = writeShardedSafetensors(
        at(index),
        { a: hostTensor([9, 9], [2]), c: state.c! },
        { maxShardBytes: 12 },
      );
      await expect(saving).rejects.toThrow('the disk is full');
      vi.mocked(fs.open).mockImplementation(real);
      expect(readdirSync(dir).sort()).toEqual(files);
      expect(await readSafetensors(dir)).toEqual(state);
    }
  });
});

it('fileSource refuses folders', async () => {
  await expect(fileSource(dir)).rejects.toThrow('it is a folder');
});
