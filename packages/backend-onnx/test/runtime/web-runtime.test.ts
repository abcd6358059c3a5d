import { adam, compile, Linear, mse, randomKey, registerCompiler, valueAndGrad } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OnnxBackend } from '../../src/backend';
import { stepCompiler } from '../../src/compile/step-compiler';
import { explain } from '../../src/explain/explain';
import { loadWasmRuntime } from '../../src/runtime/web-runtime';

const NAME = 'onnx-on-wasm';

/** Numbers that are the same wherever they are asked for. */
const numbers = (...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
    shape,
  );
};

function on<T>(backend: string, body: () => T): T {
  tf.setBackend(backend);
  try {
    return tf.tidy(body as never) as T;
  } finally {
    tf.setBackend('onnx');
  }
}

beforeAll(async () => {
  const runtime = await loadWasmRuntime();
  const backend = new OnnxBackend(runtime);
  tf.registerBackend(NAME, () => backend);
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('onnx'))
    tf.registerKernel({ kernelName, kernelFunc, backendName: NAME });
  registerCompiler(
    NAME,
    stepCompiler(() => backend),
  );
});
afterAll(() => tf.removeBackend(NAME));

describe('ONNX Runtime for WebAssembly', () => {
  it('computes at once', () => {
    const run = () => [
      ...tf.softmax(tf.matMul(numbers(3, 4) as tf.Tensor2D, numbers(4, 5) as tf.Tensor2D)).dataSync(),
    ];
    const [native, wasm] = [on('onnx', run), on(NAME, run)];
    wasm.forEach((x, i) => void expect(x).toBeCloseTo(native[i]!, 6));
  });

  it('takes and gives every type, and tensors without elements', () => {
    const values = on(NAME, () => [
      ...tf.add(tf.tensor([1, 2], [2], 'int32'), 1).dataSync(),
      ...tf.greater(numbers(3), 0.5).dataSync(),
      ...tf.logicalNot(tf.tensor([true, false])).dataSync(),
      ...tf.add(tf.tensor([], [0, 2]), 1).dataSync(),
      tf.sum(tf.scalar(7)).dataSync()[0]!,
    ]);
    expect(values).toEqual([2, 3, 0, 1, 1, 0, 1, 7]);
  });

  it('computes convolutions and their gradients as the native runtime does', () => {
    const run = () => {
      const [x, w] = [numbers(2, 8, 8, 3), numbers(4, 4, 3, 5)];
      const f = (a: tf.Tensor, b: tf.Tensor) =>
        tf.sum(tf.square(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 2, 1)));
      return tf
        .grads(f)([x, w])
        .flatMap((g) => [...g.dataSync()]);
    };
    const [native, wasm] = [on('onnx', run), on(NAME, run)];
    wasm.forEach((x, i) => void expect(x).toBeCloseTo(native[i]!, 3));
  });

  it('replays compiled steps', () => {
    const run = () => {
      const model = new Linear(3, 2, { key: randomKey(1) });
      const optimizer = adam({ lr: 0.1 });
      let traced = 0;
      const step = compile(
        (x: tf.Tensor, y: tf.Tensor) => {
          traced++;
          const parameters = model.trainableParameters();
          const { value, grads } = valueAndGrad(() => mse(model.forward(x), y) as tf.Scalar, parameters);
          optimizer.step(parameters, grads);
          return value;
        },
        { check: 0 },
      );
      const losses = [1, 2, 3, 4, 5].map(() => step(numbers(4, 3), numbers(4, 2)).dataSync()[0]!);
      return { losses, traced };
    };
    const [native, wasm] = [on('onnx', run), on(NAME, run)];
    wasm.losses.forEach((x, i) => void expect(x).toBeCloseTo(native.losses[i]!, 5));
    expect(wasm.traced).toBe(2);
  });

  it('takes constants that lie beside the model', () => {
    const run = () => {
      const w = tf.variable(numbers(64, 512));
      const step = compile((x: tf.Tensor) => tf.matMul(x as tf.Tensor2D, w as unknown as tf.Tensor2D), {
        constants: [w],
        check: 0,
      });
      const y = [1, 2].map(() => [...step(numbers(2, 64)).dataSync()]);
      w.dispose();
      return y.flat();
    };
    const [native, wasm] = [on('onnx', run), on(NAME, run)];
    expect(wasm).toHaveLength(2048);
    wasm.forEach((x, i) => void expect(x).toBeCloseTo(native[i]!, 4));
  });

  it('names the tfjs operation where it fails', () => {
    const fail = () => tf.gather(numbers(3), tf.tensor([9], [1], 'int32')).dataSync();
    expect(() => on(NAME, fail)).toThrow(/GatherV2/);
  });

  it('is explained, but for the time by operator', async () => {
    tf.setBackend(NAME);
    try {
      const e = await explain(() => tf.exp(numbers(5)));
      expect(e.runMs).toBeGreaterThan(0);
      expect(e.time).toEqual({ tfjs: [], onnx: [] });
    } finally {
      tf.setBackend('onnx');
    }
  });
});
