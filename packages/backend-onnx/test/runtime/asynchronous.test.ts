import { Linear, mse, randomKey, sgd, supervised, train } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OnnxBackend } from '../../src/backend';
import { explain } from '../../src/explain/explain';
import { AsynchronousReadError } from '../../src/runtime/asynchronous-read-error';
import { loadNodeRuntime } from '../../src/runtime/node-runtime';

const NAME = 'onnx-asynchronous';

beforeAll(() => {
  const backend = new OnnxBackend(loadNodeRuntime({ allowInternals: false }));
  tf.registerBackend(NAME, () => backend);
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('onnx'))
    tf.registerKernel({ kernelName, kernelFunc, backendName: NAME });
});
afterAll(() => tf.removeBackend(NAME));
beforeEach(() => void tf.setBackend(NAME));
afterEach(() => void tf.setBackend('onnx'));

describe('a runtime that answers later', () => {
  it('gives data that is waited for, also while more is recorded', async () => {
    const x = tf.tensor([1, 2, 3]);
    const y = tf.exp(x);
    const first = y.data();
    const z = tf.add(y, 1);
    const second = z.data();
    const third = tf.neg(z).data();
    const e = [1, 2, 3].map(Math.exp);
    [...(await first)].forEach((v, i) => void expect(v).toBeCloseTo(e[i]!, 4));
    [...(await second)].forEach((v, i) => void expect(v).toBeCloseTo(e[i]! + 1, 4));
    [...(await third)].forEach((v, i) => void expect(v).toBeCloseTo(-e[i]! - 1, 4));
  });

  it('refuses to answer at once, but for what is there', async () => {
    const y = tf.exp(tf.tensor([0]));
    expect(() => y.dataSync()).toThrow(AsynchronousReadError);
    expect(() => y.dataSync()).toThrow(/runs asynchronously only: read with `await tensor\.data\(\)`/);
    await y.data();
    expect([...y.dataSync()]).toEqual([1]);
  });

  it('names the kernel that would have to read', () => {
    expect(() => tf.unique(tf.exp(tf.tensor([0])))).toThrow(
      /^Unique has no ONNX form.*await the data of its/,
    );
  });

  it('trains, with losses that arrive late', async () => {
    const losses: number[] = [];
    const model = new Linear(1, 1, { key: randomKey(1) });
    const fit = (m: Linear, { x }: { x: tf.Tensor }) => mse(m.forward(x), tf.mul(x, 2)) as tf.Scalar;
    const step = supervised(model, fit, sgd({ lr: 0.1 }));
    const batches = {
      *[Symbol.iterator]() {
        for (let i = 0; ; i++) yield { x: tf.tensor([[(i % 3) - 1], [1]]) };
      },
    };
    for await (const event of train(step, batches, { steps: 60, lag: 3 }))
      if (event.type === 'step') losses.push(event.losses.loss!);
    expect(losses).toHaveLength(60);
    expect(losses.at(-1)).toBeLessThan(1e-3);
    const [weight] = await model.weight.data();
    expect(weight).toBeCloseTo(2, 1);
  });

  it('is explained', async () => {
    const e = await explain(() => tf.exp(tf.tensor([1, 2])));
    expect(e.programs).toHaveLength(1);
    expect(e.time.onnx[0]!.name).toBe('Exp');
  });
});
