import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  hostTensor,
  type Leaves,
  loadLeaves,
  type StateDict,
  saveLeaves,
  toFloat32,
  toInt32,
} from '../../src/checkpoint';
import { ArgumentError, StateDictError } from '../../src/errors';
import { buffer, parameter } from '../../src/nn/leaf';

function makeLeaves(): Leaves {
  return {
    weight: parameter(tf.tensor([1, 2, 3, 4, 5, 6], [2, 3])),
    kernel: parameter(tf.reshape(tf.range(0, 24), [1, 2, 3, 4]), { permute: [3, 2, 0, 1] }),
    running_mean: buffer(tf.tensor1d([0.5, -0.5])),
    num_batches_tracked: buffer(tf.scalar(7, 'int32'), { dtype: 'I64' }),
    mask: buffer(tf.tensor1d([true, false], 'bool')),
  };
}

function errorOf(body: () => unknown): StateDictError {
  try {
    body();
  } catch (error) {
    if (StateDictError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('expected a StateDictError');
}

describe('saveLeaves', () => {
  it('writes each leaf in its disk format', async () => {
    const state = await saveLeaves(makeLeaves());
    expect(state.weight).toMatchObject({ dtype: 'F32', shape: [2, 3] });
    // torch: torch.arange(24.).reshape(1, 2, 3, 4).permute(3, 2, 0, 1).flatten()
    expect(state.kernel!.shape).toEqual([4, 3, 1, 2]);
    expect([...toFloat32(state.kernel!)]).toEqual([
      0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23,
    ]);
    expect(state.num_batches_tracked).toMatchObject({ dtype: 'I64', shape: [] });
    expect(state.num_batches_tracked!.bytes).toEqual(new Uint8Array([7, 0, 0, 0, 0, 0, 0, 0]));
    expect(state.mask).toMatchObject({ dtype: 'BOOL', bytes: new Uint8Array([1, 0]) });
  });

  it('shares no memory with the leaves, in either direction', async () => {
    const leaves = makeLeaves();
    const state = await saveLeaves(leaves);
    for (const tensor of Object.values(state)) tensor.bytes.fill(0);
    expect([...leaves.weight!.dataSync()]).toEqual([1, 2, 3, 4, 5, 6]);

    const given = await saveLeaves(leaves);
    loadLeaves(leaves, given);
    for (const tensor of Object.values(given)) tensor.bytes.fill(255);
    expect([...leaves.weight!.dataSync()]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('is one moment, whatever is assigned while it reads', async () => {
    const leaves = makeLeaves();
    const saving = saveLeaves(leaves);
    for (const leaf of Object.values(leaves)) leaf.assign(tf.zerosLike(leaf));
    expect([...toFloat32((await saving).weight!)]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('can write half precision', async () => {
    const state = await saveLeaves({ w: parameter(tf.tensor1d([1, 1e-9, 1e9]), { dtype: 'F16' }) });
    expect(state.w).toMatchObject({ dtype: 'F16', shape: [3] });
    expect([...toFloat32(state.w!)]).toEqual([1, 0, Number.POSITIVE_INFINITY]);
  });

  it('refuses what a disk type cannot hold, and disposed leaves', async () => {
    const leaf = buffer(tf.scalar(300, 'int32'), { dtype: 'U8' });
    await expect(saveLeaves({ leaf })).rejects.toThrow('value 300 at index 0 does not fit U8');
    leaf.dispose();
    await expect(saveLeaves({ leaf })).rejects.toSatisfy(ArgumentError.isInstance);
  });
});

describe('loadLeaves', () => {
  it('restores what saveLeaves wrote, to the bit', async () => {
    const from = makeLeaves();
    from.weight!.assign(tf.tensor([Number.NaN, -0, Number.NEGATIVE_INFINITY, 1e-45, 3.4e38, 0.1], [2, 3]));
    const to = makeLeaves();
    for (const leaf of Object.values(to)) leaf.assign(tf.zerosLike(leaf));
    const report = loadLeaves(to, await saveLeaves(from));
    expect(report).toEqual({ missing: [], extra: [] });
    for (const key of Object.keys(from)) expect(to[key]!.dataSync()).toEqual(from[key]!.dataSync());
  });

  it.each(['F64', 'F16', 'BF16', 'I8', 'U8', 'I16', 'U16', 'I32', 'U32', 'I64', 'U64'] as const)(
    'converts %s to the type of the leaf',
    (dtype) => {
      const floats = parameter(tf.zeros([3]));
      const ints = buffer(tf.zeros([3], 'int32'));
      const bools = buffer(tf.zeros([3], 'bool'));
      loadLeaves(
        { floats, ints },
        { floats: hostTensor([1, 2, 100], [3], dtype), ints: hostTensor([1, 2, 100], [3], dtype) },
      );
      loadLeaves({ bools }, { bools: hostTensor([1, 0, 1], [3], dtype) });
      expect([...floats.dataSync(), ...ints.dataSync()]).toEqual([1, 2, 100, 1, 2, 100]);
      expect([...bools.dataSync()]).toEqual([1, 0, 1]);
    },
  );

  it('takes negative 64-bit integers', () => {
    const ints = buffer(tf.zeros([2], 'int32'));
    loadLeaves({ ints }, { ints: hostTensor([-1, -2147483648], [2], 'I64') });
    expect([...ints.dataSync()]).toEqual([-1, -2147483648]);
  });

  it.each([
    ['int32', hostTensor([2 ** 31], [1], 'I64'), 'I64 value 2147483648 at index 0 does not fit int32'],
    ['int32', hostTensor([-(2 ** 40)], [1], 'I64'), 'I64 value -1099511627776 at index 0 does not fit int32'],
    ['int32', hostTensor([2 ** 31], [1], 'U32'), 'U32 value 2147483648 at index 0 does not fit int32'],
    ['int32', hostTensor([0.5], [1], 'F32'), 'F32 value 0.5 at index 0 does not fit int32'],
    ['int32', hostTensor([Number.NaN], [1], 'F16'), 'F16 value NaN at index 0 does not fit int32'],
    ['float32', hostTensor([1e39], [1], 'F64'), 'F64 value 1e+39 at index 0 does not fit float32'],
    ['bool', hostTensor([2], [1], 'U8'), 'U8 value 2 at index 0 does not fit bool'],
    ['float32', { dtype: 'C64', shape: [1], bytes: new Uint8Array(8) }, 'C64 values are complex'],
    ['float32', { dtype: 'F32', shape: [1], bytes: new Uint8Array(3) }, 'F32 [1] takes 4 bytes, got 3'],
  ] as const)('refuses values that %s cannot hold (%#)', (dtype, tensor, problem) => {
    const leaf = buffer(tf.zeros([1], dtype));
    const error = errorOf(() => loadLeaves({ leaf }, { leaf: tensor }, { strict: false }));
    expect(error.values).toEqual([{ key: 'leaf', problem }]);
    expect(error.message).toBe(`loadStateDict: 1 unusable tensor (leaf: ${problem})`);
  });

  it('lists everything that is wrong in one error and changes nothing', async () => {
    const leaves = makeLeaves();
    const before = await saveLeaves(leaves);
    const state: StateDict = {
      weight: hostTensor([1, 2, 3, 4, 5, 6], [3, 2]),
      kernel: hostTensor(new Float32Array(24), [4, 3, 1, 2]),
      mask: hostTensor([3, 4], [2], 'U8'),
      other: hostTensor([1], []),
      another: hostTensor([1], []),
    };
    const error = errorOf(() => loadLeaves(leaves, state));
    expect(error.message).toBe(
      'loadStateDict: 1 missing key (running_mean); 2 extra keys (other, another); ' +
        '1 wrong shape (weight: expected [2, 3], got [3, 2]); ' +
        '1 unusable tensor (mask: U8 value 3 at index 0 does not fit bool)',
    );
    expect(error).toMatchObject({
      code: 'state-dict',
      missing: ['running_mean'],
      extra: ['other', 'another'],
      shapes: [{ key: 'weight', expected: [2, 3], received: [3, 2] }],
    });
    expect(await saveLeaves(leaves)).toEqual(before);
  });

  it('reports shapes as they are on disk', () => {
    const error = errorOf(() =>
      loadLeaves(makeLeaves(), { kernel: hostTensor(new Float32Array(24), [1, 2, 3, 4]) }, { strict: false }),
    );
    expect(error.shapes).toEqual([{ key: 'kernel', expected: [4, 3, 1, 2], received: [1, 2, 3, 4] }]);
  });

  it('shortens long lists in the message, not in the data', () => {
    const state = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`layer.${i}`, hostTensor([1], [])]),
    );
    const error = errorOf(() => loadLeaves({}, state));
    expect(error.message).toContain('500 extra keys (layer.0, layer.1, ');
    expect(error.message).toContain('layer.9, … and 490 more)');
    expect(error.message.length).toBeLessThan(250);
    expect(error.extra).toHaveLength(500);
  });

  it.each(['module.', '_orig_mod.', 'generator/'])(
    'names the prefix %s that keeps all keys from fitting',
    async (prefix) => {
      const leaves = makeLeaves();
      const state = Object.fromEntries(
        Object.entries(await saveLeaves(leaves)).map(([k, v]) => [prefix + k, v]),
      );
      expect(errorOf(() => loadLeaves(leaves, state)).message).toContain(
        `the keys fit without the prefix "${prefix}"`,
      );
    },
  );

  it('passes over extra and missing keys where it is not strict, and says which', () => {
    const leaves = makeLeaves();
    const report = loadLeaves(
      leaves,
      { running_mean: hostTensor([8, 9], [2]), x: hostTensor([1], []) },
      { strict: false },
    );
    expect(report).toEqual({ missing: ['weight', 'kernel', 'mask'], extra: ['x'] });
    expect([...leaves.running_mean!.dataSync()]).toEqual([8, 9]);
    expect([...leaves.weight!.dataSync()]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('takes dicts from before num_batches_tracked, and keeps the counter', async () => {
    const leaves = {
      'bn.num_batches_tracked': makeLeaves().num_batches_tracked!,
      'bn.weight': makeLeaves().weight!,
    };
    const { 'bn.num_batches_tracked': _, ...old } = await saveLeaves(leaves);
    expect(loadLeaves(leaves, old)).toEqual({ missing: [], extra: [] });
    expect(toInt32((await saveLeaves(leaves))['bn.num_batches_tracked']!)[0]).toBe(7);
  });

  it('is not fooled by names of Object.prototype', async () => {
    const names = ['__proto__', 'constructor', 'toString'];
    const leaves: Leaves = Object.fromEntries(names.map((name, i) => [name, parameter(tf.scalar(i))]));
    const state = await saveLeaves(leaves);
    expect(Object.keys(state)).toEqual(names);
    loadLeaves(leaves, state);
    expect(errorOf(() => loadLeaves(leaves, {})).missing).toEqual(names);
    expect(errorOf(() => loadLeaves({}, state)).extra).toEqual(names);
  });

  it('leaks nothing, whether it succeeds or fails', async () => {
    const leaves = makeLeaves();
    await expectNoLeak(async () => {
      loadLeaves(leaves, await saveLeaves(leaves));
      errorOf(() => loadLeaves(leaves, { weight: hostTensor([1], [1]) }));
    });
  });
});
