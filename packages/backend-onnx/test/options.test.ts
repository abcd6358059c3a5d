import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, useBackend } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OnnxBackend } from '../src/backend';
import type { OnnxBackendOptions } from '../src/options';
import { loadNodeRuntime } from '../src/runtime/node-runtime';

const make = (options: object) => () => new OnnxBackend(loadNodeRuntime(), options as OnnxBackendOptions);

afterEach(async () => void (await useBackend('onnx', { cacheSize: 256 })));

describe('options', () => {
  it.each([
    [{ threads: 0 }, 'OnnxBackend(options.threads): expected an integer ≥ 1, got 0'],
    [{ threads: 1.5 }, /options\.threads.*an integer ≥ 1, got 1\.5/],
    [{ cacheSize: Number.NaN }, /options\.cacheSize.*an integer ≥ 1, got NaN/],
    [{ maxPending: '5' }, /options\.maxPending.*an integer ≥ 1, got "5"/],
    [{ dump: 3 }, /options\.dump.*the path of a folder, got 3/],
    [{ onModel: 'x' }, /options\.onModel.*a function, got "x"/],
    [{ executionProviders: [] }, /options\.executionProviders/],
    [{ executionProviders: 'cpu' }, /options\.executionProviders/],
  ])('%o are refused', (options, message) => {
    expect(make(options)).toThrow(message);
    expect(make(options)).toThrow(ArgumentError);
  });

  it('of execution providers that the runtime has not name those that it has', () => {
    const has = listSupportedBackends().map(({ name }) => name);
    expect(make({ executionProviders: ['cpu', 'abacus'] })).toThrow(
      `has here (${has.join(', ')}), got ["cpu", "abacus"]`,
    );
  });

  it('reach the session', async () => {
    const { name, device } = await useBackend('onnx', { threads: 1, executionProviders: ['cpu'] });
    expect([name, device]).toEqual(['onnx', expect.stringMatching(/^CPU, 1 threads?, ONNX Runtime 1\./)]);
    expect([...tf.add([1, 2], 1).dataSync()]).toEqual([2, 3]);
  });

  it('of wrong values leave the backend as it was', async () => {
    const before = tf.backend();
    await expect(useBackend('onnx', { threads: -1 })).rejects.toThrow(ArgumentError);
    await expect(useBackend('auto', { cacheSize: 0 })).rejects.toThrow(ArgumentError);
    expect(tf.backend()).toBe(before);
  });

  it('of providers that the machine cannot start are refused', async () => {
    const has = listSupportedBackends().map(({ name }) => name);
    // Built in, but its libraries are not part of the package.
    if (!has.includes('tensorrt')) return;
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const wanted = useBackend('onnx', { executionProviders: ['tensorrt'] });
    await expect(wanted).rejects.toThrow(
      /useBackend\(options\.executionProviders\): expected providers that start/,
    );
    await useBackend('onnx');
    expect([...tf.relu([-1, 1]).dataSync()]).toEqual([0, 1]);
  });
});

describe('dump', () => {
  const folder = mkdtempSync(join(tmpdir(), 'poiesis dump '));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('writes every program to a file that ONNX Runtime opens', async () => {
    const seen: number[] = [];
    const dump = join(folder, 'models');
    await useBackend('onnx', { dump, onModel: (model) => seen.push(model.length) });
    const x = tf.tensor([0.5, 1, 2]);
    const expected = [...tf.exp(x).dataSync()];
    tf.matMul(tf.ones([2, 3]), tf.tensor([[1], [2], [3]])).dataSync();
    expect(readdirSync(dump)).toEqual(['program-0001.onnx', 'program-0002.onnx']);
    expect(seen).toHaveLength(2);

    const model = readFileSync(join(dump, 'program-0001.onnx'));
    expect(model.length).toBe(seen[0]);
    const session = await InferenceSession.create(model);
    const feeds = { [session.inputNames[0]!]: new Tensor('float32', Float32Array.of(0.5, 1, 2), [3]) };
    const result = await session.run(feeds);
    expect([...(result[session.outputNames[0]!]!.data as Float32Array)]).toEqual(expected);

    await useBackend('onnx', { dump });
    tf.exp(x).dataSync();
    expect(readdirSync(dump)).toContain('program-0003.onnx');
  });

  it('into a place that is no folder is refused', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'poiesis dump ')), 'file');
    writeFileSync(file, '');
    await expect(useBackend('onnx', { dump: file })).rejects.toThrow(
      /options\.dump.*a folder that can be made/,
    );
    rmSync(join(file, '..'), { recursive: true });
  });
});
