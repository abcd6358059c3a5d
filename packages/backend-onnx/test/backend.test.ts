import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { OnnxBackend } from '../src/backend';
import { loadNodeRuntime } from '../src/runtime/node-runtime';

const onnx = () => tf.backend() as OnnxBackend;

describe('tensors', () => {
  it('are safe against later changes of the array that they were made from', () => {
    const values = Float32Array.of(1, 2, 3);
    const x = tf.tensor(values);
    values.fill(9);
    expect([...tf.add(x, 0).dataSync()]).toEqual([1, 2, 3]);
  });

  it('share their data under other shapes, and compute under each', () => {
    const x = tf.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
    const y = tf.reshape(x, [3, 2]);
    expect([...tf.sum(x, 0).dataSync()]).toEqual([5, 7, 9]);
    expect([...tf.sum(y, 0).dataSync()]).toEqual([9, 12]);
    expect([...tf.matMul(x, y).dataSync()]).toEqual([22, 28, 49, 64]);
  });

  it('leave nothing behind, computed or not', async () => {
    await expectNoLeak(() => tf.tidy(() => void tf.relu(tf.add(tf.ones([3, 3]), tf.tensor([1, -2, 3])))));
    await expectNoLeak(() =>
      tf.tidy(() => tf.relu(tf.add(tf.ones([3, 3]), tf.tensor([1, -2, 3]))).dataSync()),
    );
  });

  it('of every dtype survive a round trip', () => {
    expect([...tf.cast(tf.tensor([1.7, -1.7, 0]), 'int32').dataSync()]).toEqual([1, -1, 0]);
    expect([...tf.cast(tf.tensor([1, 0, 3], [3], 'int32'), 'bool').dataSync()]).toEqual([1, 0, 1]);
    expect([...tf.tensor(['a', 'b']).dataSync()]).toEqual(['a', 'b']);
    expect([...tf.complex([1, 2], [3, 4]).dataSync()]).toEqual([1, 3, 2, 4]);
  });

  it('of size zero work', () => {
    const empty = tf.tensor([], [0, 3]);
    expect(tf.concat([empty, tf.ones([2, 3])]).shape).toEqual([2, 3]);
    expect([...tf.sum(empty, 0).dataSync()]).toEqual([0, 0, 0]);
    expect([...tf.add(empty, 1).dataSync()]).toEqual([]);
  });
});

describe('programs', () => {
  const work = (scale: number, x: tf.Tensor) =>
    tf.tidy(() => tf.sum(tf.mul(tf.tanh(x), scale)).dataSync()[0]);
  const compiledBy = (body: () => void) => {
    const before = onnx().programs.statistics.compiled;
    body();
    return onnx().programs.statistics.compiled - before;
  };

  it('are compiled once per structure', () => {
    const make = () => tf.tensor(Float32Array.from({ length: 11 }, Math.random));
    expect(compiledBy(() => work(2, make()))).toBe(1);
    expect(
      compiledBy(() => {
        for (let i = 0; i < 5; i++) work(2, make());
      }),
    ).toBe(0);
  });

  it('are compiled a second time when a scalar changes, and never again', () => {
    const make = () => tf.tensor(Float32Array.from({ length: 13 }, Math.random));
    expect(compiledBy(() => work(2, make()))).toBe(1);
    expect(
      compiledBy(() => {
        for (let i = 3; i < 9; i++) work(i, make());
      }),
    ).toBe(1);
  });

  it('give the right numbers while their scalars change', () => {
    const x = tf.tensor([0.5, 1.5]);
    const expected = Math.tanh(0.5) + Math.tanh(1.5);
    for (const scale of [2, 2, 3, -1, 2, 0]) expect(work(scale, x)).toBeCloseTo(scale * expected, 5);
  });

  it('are dropped least recently used first', () => {
    const small = new OnnxBackend(loadNodeRuntime(), { cacheSize: 2 });
    tf.registerBackend('onnx-small', () => small);
    for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('onnx'))
      tf.registerKernel({ kernelName, kernelFunc, backendName: 'onnx-small' });
    tf.setBackend('onnx-small');
    try {
      for (let round = 0; round < 2; round++) {
        for (const n of [3, 4, 5])
          expect(tf.tidy(() => tf.sum(tf.exp(tf.ones([n]))).dataSync()[0])).toBeCloseTo(n * Math.E, 4);
      }
      expect(small.programs.size).toBeLessThanOrEqual(2);
    } finally {
      tf.setBackend('onnx');
      tf.removeBackend('onnx-small');
    }
  });

  it('run at the latest after a bounded number of operations, read or not', () => {
    const bounded = new OnnxBackend(loadNodeRuntime(), { maxPending: 50 });
    tf.registerBackend('onnx-bounded', () => bounded);
    for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('onnx'))
      tf.registerKernel({ kernelName, kernelFunc, backendName: 'onnx-bounded' });
    tf.setBackend('onnx-bounded');
    try {
      const total = tf.tidy(() => {
        let x: tf.Tensor = tf.scalar(0);
        for (let i = 0; i < 120; i++) x = tf.add(x, 1);
        return x.dataSync()[0];
      });
      expect(total).toBe(120);
      expect(bounded.programs.statistics.compiled).toBeGreaterThanOrEqual(2);
    } finally {
      tf.setBackend('onnx');
      tf.removeBackend('onnx-bounded');
    }
  });

  it('name the tfjs operation where they fail', () => {
    const index = tf.add(tf.tensor([1, 2], [2], 'int32'), tf.scalar(7, 'int32'));
    expect(() => tf.gather(tf.tensor([1, 2, 3]), index as tf.Tensor1D).dataSync()).toThrow(/GatherV2/);
  });
});

describe('what ONNX has no form for', () => {
  it('runs on the cpu kernels, and is counted', () => {
    const before = onnx().fallbacks.get('Unique') ?? 0;
    expect([...tf.unique(tf.tensor([3, 1, 3])).values.dataSync()]).toEqual([3, 1]);
    expect(onnx().fallbacks.get('Unique')).toBe(before + 1);
  });
});
