import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { LowerContext } from '../../src/lower/context';
import { algorithmOf } from '../../src/lower/conv-algorithm';
import type { ConvGeometry } from '../../src/lower/im2col';
import {
  winogradFilterGradient,
  winogradForward,
  winogradInputGradient,
  winogradPlan,
} from '../../src/lower/winograd';
import { GraphBuilder } from '../../src/onnx/graph-builder';
import { splitModel } from '../../src/onnx/write-model';
import type { GraphNode } from '../../src/passes/ir';
import { loadNodeRuntime } from '../../src/runtime/node-runtime';

const runtime = loadNodeRuntime();

function geometryOf(options: Partial<ConvGeometry> & { kernel: number; stride: number; pad: number }) {
  const { kernel, stride, pad, ...rest } = options;
  const { batch = 2, height = 8, width = 8, channels = 3, outChannels = 5 } = rest;
  const out = (size: number) => Math.floor((size + 2 * pad - kernel) / stride) + 1;
  return {
    batch,
    height,
    width,
    channels,
    outChannels,
    outHeight: out(height),
    outWidth: out(width),
    kernelHeight: kernel,
    kernelWidth: kernel,
    strideHeight: stride,
    strideWidth: stride,
    dilationHeight: 1,
    dilationWidth: 1,
    padTop: pad,
    padLeft: pad,
    ...rest,
  } satisfies ConvGeometry;
}

/** Uniform in [-1, 1). */
function random(size: number, seed: number): Float32Array {
  let state = seed * 2654435761;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** y, dx and dw in double precision, tap by tap. */
function reference(g: ConvGeometry, x: Float32Array, w: Float32Array, dy: Float32Array) {
  const y = new Float64Array(dy.length);
  const dx = new Float64Array(x.length);
  const dw = new Float64Array(w.length);
  for (let b = 0; b < g.batch; b++)
    for (let i = 0; i < g.outHeight; i++)
      for (let j = 0; j < g.outWidth; j++)
        for (let ky = 0; ky < g.kernelHeight; ky++)
          for (let kx = 0; kx < g.kernelWidth; kx++) {
            const [iy, ix] = [i * g.strideHeight + ky - g.padTop, j * g.strideWidth + kx - g.padLeft];
            if (iy < 0 || ix < 0 || iy >= g.height || ix >= g.width) continue;
            for (let ci = 0; ci < g.channels; ci++)
              for (let co = 0; co < g.outChannels; co++) {
                const at = ((b * g.outHeight + i) * g.outWidth + j) * g.outChannels + co;
                const from = ((b * g.height + iy) * g.width + ix) * g.channels + ci;
                const tap = ((ky * g.kernelWidth + kx) * g.channels + ci) * g.outChannels + co;
                y[at]! += x[from]! * w[tap]!;
                dx[from]! += dy[at]! * w[tap]!;
                dw[tap]! += dy[at]! * x[from]!;
              }
          }
  return { y, dx, dw };
}

function byWinograd(g: ConvGeometry, outputs: number, x: Float32Array, w: Float32Array, dy: Float32Array) {
  const plan = winogradPlan(g, outputs)!;
  const builder = new GraphBuilder();
  const c = new LowerContext(builder, {} as GraphNode, () => '');
  const ports = {
    x: [g.batch, g.height, g.width, g.channels],
    w: [g.kernelHeight, g.kernelWidth, g.channels, g.outChannels],
    dy: [g.batch, g.outHeight, g.outWidth, g.outChannels],
  };
  for (const [name, dims] of Object.entries(ports)) builder.inputs.push({ name, dtype: 'float32', dims });
  const results = {
    y: [winogradForward(c, 'x', 'w', g, plan), ports.dy],
    dx: [winogradInputGradient(c, 'dy', 'w', g, plan), ports.x],
    dw: [winogradFilterGradient(c, 'x', 'dy', g, plan), ports.w],
  } as const;
  for (const [name, dims] of Object.values(results))
    builder.outputs.push({ name: c.reshape(name, dims), dtype: 'float32', dims });
  const session = runtime.compileSync!(splitModel(builder), { threads: 1 });
  const feeds = Object.entries({ x, w, dy }).map(
    ([name, data]) => [name, runtime.tensor('float32', data, ports[name as keyof typeof ports])] as const,
  );
  const out = session.runSync!(Object.fromEntries(feeds));
  const [y, dx, dw] = builder.outputs.map(({ name }) => out[name]!.data as Float32Array);
  session.dispose();
  return { y: y!, dx: dx!, dw: dw! };
}

const cases: [string, ConvGeometry][] = [
  ['k4 s2, as in DCGAN', geometryOf({ kernel: 4, stride: 2, pad: 1 })],
  ['k4 s2 on 14', geometryOf({ kernel: 4, stride: 2, pad: 1, height: 14, width: 14 })],
  ['k4 s2, odd and not square', geometryOf({ kernel: 4, stride: 2, pad: 1, height: 9, width: 15 })],
  ['k4 s2, pixels that no window reads', geometryOf({ kernel: 4, stride: 2, pad: 0, height: 9, width: 11 })],
  ['k4 s2 to one pixel', geometryOf({ kernel: 4, stride: 2, pad: 1, height: 2, width: 2 })],
  ['k6 s2', geometryOf({ kernel: 6, stride: 2, pad: 2, height: 10, width: 12 })],
  ['k2 s1', geometryOf({ kernel: 2, stride: 1, pad: 0, height: 7, width: 6 })],
  ['k3 s1', geometryOf({ kernel: 3, stride: 1, pad: 1, height: 7, width: 10 })],
  ['k3 s1 of one image', geometryOf({ kernel: 3, stride: 1, pad: 1, batch: 1, height: 12, width: 9 })],
  [
    'k3 s1 of one image, unpadded',
    geometryOf({ kernel: 3, stride: 1, pad: 0, batch: 1, height: 12, width: 9 }),
  ],
  ['k3 s1, more padding than needed', geometryOf({ kernel: 3, stride: 1, pad: 2, height: 4, width: 5 })],
  ['k9 s3', geometryOf({ kernel: 9, stride: 3, pad: 4, height: 17, width: 18 })],
];

describe.each([2, 3, 4])('Winograd with tiles of %i', (outputs) => {
  it.each(cases)('%s', (_, g) => {
    const [x, w, dy] = [
      random(g.batch * g.height * g.width * g.channels, 1),
      random(g.kernelHeight * g.kernelWidth * g.channels * g.outChannels, 2),
      random(g.batch * g.outHeight * g.outWidth * g.outChannels, 3),
    ];
    expectClose(byWinograd(g, outputs, x, w, dy), reference(g, x, w, dy));
  });
});

it('tf.conv2d and its gradients go this way where it gains', () => {
  const g = geometryOf({ kernel: 4, stride: 2, pad: 1, batch: 64, channels: 48, outChannels: 48 });
  expect(algorithmOf(g)).toHaveProperty('y.transform.outputs', 4);
  const [x, w, dy] = [random(64 * 64 * 48, 1), random(16 * 48 * 48, 2), random(64 * 16 * 48, 3)];
  const [dx, dw, y] = tf.tidy(() => {
    const image = tf.tensor4d(x, [64, 8, 8, 48]);
    const filter = tf.tensor4d(w, [4, 4, 48, 48]);
    const conv = (a: tf.Tensor, b: tf.Tensor) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 2, 'same');
    const grads = tf.grads(conv)([image, filter], tf.tensor4d(dy, [64, 4, 4, 48]));
    return [...grads, conv(image, filter)].map((t) => t.dataSync() as Float32Array);
  });
  expectClose({ y: y!, dx: dx!, dw: dw! }, reference(g, x, w, dy));
});

function expectClose(
  received: Record<'y' | 'dx' | 'dw', Float32Array>,
  expected: ReturnType<typeof reference>,
) {
  for (const key of ['y', 'dx', 'dw'] as const) {
    const largest = expected[key].reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const error = expected[key].reduce((m, v, i) => Math.max(m, Math.abs(v - received[key][i]!)), 0);
    expect(error / largest, key).toBeLessThan(3e-6);
  }
}

describe('winogradPlan', () => {
  it('knows which convolutions have the form', () => {
    expect(winogradPlan(geometryOf({ kernel: 3, stride: 2, pad: 1 }), 2)).toBeUndefined();
    expect(winogradPlan(geometryOf({ kernel: 5, stride: 1, pad: 2 }), 2)).toBeUndefined();
    expect(winogradPlan(geometryOf({ kernel: 1, stride: 1, pad: 0 }), 2)).toBeUndefined();
    const dilated = { ...geometryOf({ kernel: 3, stride: 1, pad: 1 }), dilationHeight: 2 };
    expect(winogradPlan(dilated, 2)).toBeUndefined();
  });
});
