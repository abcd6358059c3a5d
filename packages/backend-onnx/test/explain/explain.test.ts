import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adam, compile, Linear, mse, randomKey, valueAndGrad } from '@poiesis/core';
import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import type { OnnxBackend } from '../../src/backend';
import { explain } from '../../src/explain/explain';

const random = (shape: number[]) =>
  tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, Math.random), shape);
const onnx = () => tf.backend() as OnnxBackend;

/** One update of a small regression with Adam. */
function regression() {
  const model = new Linear(3, 2, { key: randomKey(1) });
  const optimizer = adam({ lr: 0.1 });
  const step = (x: tf.Tensor, y: tf.Tensor) => {
    const loss = () => mse(model.forward(x), y) as tf.Scalar;
    const { value, grads } = valueAndGrad(loss, model.trainableParameters());
    optimizer.step(model.trainableParameters(), grads);
    return value;
  };
  return { model, step, x: random([4, 3]), y: random([4, 2]) };
}

describe('explain', () => {
  it('tells nodes, FLOPs, traffic and time of what was recorded', async () => {
    const [a, b] = [random([8, 16]), random([16, 4])];
    const e = await explain(() =>
      tf.relu(tf.add(tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D), tf.zeros([8, 4]))),
    );
    expect(e.programs).toHaveLength(1);
    expect(e.flops).toEqual({ matmul: 2 * 8 * 16 * 4, convolution: 0, elementwise: 64, total: 1024 + 64 });
    expect(e.nodes.recorded).toBeGreaterThan(e.nodes.optimized);
    expect(e.passes.find(({ pass }) => pass === 'foldConstants')!.removed).toBe(1);
    expect(e.feeds).toEqual({ count: 2, bytes: 4 * (128 + 64) });
    expect(e.outputs).toEqual({ count: 1, bytes: 4 * 32 });
    expect(e.fallbacks).toEqual([]);
    expect(e.compileMs).toBeGreaterThan(0);
    expect(e.runMs).toBeGreaterThan(0);
    expect(e.time.tfjs.map(({ name }) => name)).toEqual(expect.arrayContaining(['BatchMatMul']));
    expect(e.time.onnx.map(({ name }) => name)).toEqual(expect.arrayContaining(['MatMul']));
    expect(e.programs[0]!.profile!.runs).toBe(5);
    expect(e.cache.limit).toBe(256);
  });

  it('is a table as a string', async () => {
    const e = await explain(() => tf.sum(tf.exp(random([5, 7]))));
    const text = String(e);
    expect(text).toMatch(/^programs {3}1, compiled in [\d.]+ ms$/m);
    expect(text).toMatch(/^feeds {6}1, 140 B$/m);
    expect(text).toMatch(/^fallbacks {2}none$/m);
    expect(text).toMatch(/^foldConstants +\d+ +\d+ +\d+$/m);
    expect(text).toMatch(/^recorded by tfjs +nodes +ms +%$/m);
    expect(text).toMatch(/^Exp +1 +[\d.]+ +[\d.]+$/m);
  });

  it('leaves no file and no tensor behind, and the cache as it was', async () => {
    const { size } = onnx().programs;
    // A folder of its own: others explain at the same time.
    const folder = mkdtempSync(join(tmpdir(), 'poiesis-explain-'));
    for (const name of ['TMPDIR', 'TEMP', 'TMP']) vi.stubEnv(name, folder);
    try {
      await expectNoLeak(async () => {
        expect((await explain(() => tf.exp(tf.ones([3])))).programs).toHaveLength(1);
      });
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true });
    }
    expect(onnx().programs.size).toBe(size);
  });

  it('explains a compiled step, which goes on as if it had been called', async () => {
    const plain = regression();
    const twin = regression();
    const run = compile(twin.step, { check: 0 });
    for (let i = 0; i < 3; i++) plain.step(plain.x, plain.y);
    run(plain.x, plain.y);
    run(plain.x, plain.y);
    const e = await explain(() => run(plain.x, plain.y));
    expect(e.programs).toHaveLength(1);
    expect(e.programs[0]!.calls).toBe(1);
    expect(e.outputs.count).toBeGreaterThan(2);
    expect([...twin.model.weight.dataSync()]).toEqual([...plain.model.weight.dataSync()]);
    const compiled = onnx().programs.statistics.compiled;
    run(plain.x, plain.y);
    expect(onnx().programs.statistics.compiled).toBe(compiled);
  });

  it('counts a program that is called several times once, and its time as often', async () => {
    const step = compile((x: tf.Tensor) => tf.tanh(x), { check: 0 });
    const x = random([32]);
    const e = await explain(() => [step(x), step(x), step(x)]);
    expect(e.programs).toHaveLength(1);
    expect(e.programs[0]!.calls).toBe(3);
    expect(e.flops.elementwise).toBe(96);
  });

  it('counts kernels that ran elsewhere', async () => {
    const x = random([6]);
    const e = await explain(() => {
      tf.unique(x);
      return tf.unique(x).values;
    });
    expect(e.fallbacks).toEqual([{ kernel: 'Unique', count: 2 }]);
    expect(String(e)).toMatch(/^fallbacks {2}Unique ×2$/m);
  });

  it('counts convolutions as their definition has them', async () => {
    const [x, filter] = [random([2, 8, 8, 3]) as tf.Tensor4D, random([3, 3, 3, 5]) as tf.Tensor4D];
    const e = await explain(() => tf.conv2d(x, filter, 1, 'same'));
    expect(e.flops.convolution).toBe(2 * 2 * 8 * 8 * 5 * 27);
  });

  it('ends its watch where f throws, and refuses what it cannot explain', async () => {
    await expect(
      explain(() => {
        throw new Error('mine');
      }),
    ).rejects.toThrow('mine');
    expect(onnx().programs.watch).toBeNull();
    await expect(explain(() => tf.scalar(1), { runs: -1 })).rejects.toThrow(
      'explain(options.runs): expected an integer ≥ 0, got -1',
    );
    tf.setBackend('cpu');
    try {
      await expect(explain(() => tf.scalar(1))).rejects.toThrow(/useBackend\('onnx'\)/);
    } finally {
      tf.setBackend('onnx');
    }
  });
});
