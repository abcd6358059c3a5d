import { expect } from 'vitest';
import { LowerContext } from '../../src/lower/context';
import type { ConvGeometry } from '../../src/lower/im2col';
import { GraphBuilder } from '../../src/onnx/graph-builder';
import { splitModel } from '../../src/onnx/write-model';
import type { GraphNode } from '../../src/passes/ir';
import { loadNodeRuntime } from '../../src/runtime/node-runtime';

// Lowerings of convolutions, run one by one, beside what they should compute.

const runtime = loadNodeRuntime();

/** A square kernel with equal strides and padding. */
export function geometryOf(options: Partial<ConvGeometry> & { kernel: number; stride: number; pad: number }) {
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
export function random(size: number, seed: number): Float32Array {
  let state = seed * 2654435761;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** y, dx and dw in double precision, tap by tap. */
export function reference(g: ConvGeometry, { x, w, dy }: Record<'x' | 'w' | 'dy', Float32Array>) {
  const y = new Float64Array(dy.length);
  const dx = new Float64Array(x.length);
  const dw = new Float64Array(w.length);
  for (let b = 0; b < g.batch; b++)
    for (let i = 0; i < g.outHeight; i++)
      for (let j = 0; j < g.outWidth; j++)
        for (let ky = 0; ky < g.kernelHeight; ky++)
          for (let kx = 0; kx < g.kernelWidth; kx++) {
            const [iy, ix] = [
              i * g.strideHeight + ky * g.dilationHeight - g.padTop,
              j * g.strideWidth + kx * g.dilationWidth - g.padLeft,
            ];
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

/** Some of y, dx and dw. */
export type Results = Partial<Record<'y' | 'dx' | 'dw', Float32Array>>;

/** Runs what `lower` writes for the inputs `x`, `w` and `dy`. */
export function runLowered(
  g: ConvGeometry,
  inputs: Record<'x' | 'w' | 'dy', Float32Array>,
  lower: (c: LowerContext) => Partial<Record<'y' | 'dx' | 'dw', string>>,
): Results {
  const builder = new GraphBuilder();
  const c = new LowerContext(builder, {} as GraphNode, () => '');
  const ports = {
    x: [g.batch, g.height, g.width, g.channels],
    w: [g.kernelHeight, g.kernelWidth, g.channels, g.outChannels],
    dy: [g.batch, g.outHeight, g.outWidth, g.outChannels],
  };
  for (const [name, dims] of Object.entries(ports)) builder.inputs.push({ name, dtype: 'float32', dims });
  const shapes = { y: ports.dy, dx: ports.x, dw: ports.w };
  const names = Object.entries(lower(c)).map(([key, name]) => {
    const dims = shapes[key as keyof typeof shapes];
    const output = c.reshape(name, dims);
    builder.outputs.push({ name: output, dtype: 'float32', dims });
    return [key, output] as const;
  });
  const session = runtime.compileSync!(splitModel(builder), { threads: 1 });
  const feeds = Object.entries(inputs).map(
    ([name, data]) => [name, runtime.tensor('float32', data, ports[name as keyof typeof ports])] as const,
  );
  const out = session.runSync!(Object.fromEntries(feeds));
  session.dispose();
  return Object.fromEntries(names.map(([key, name]) => [key, out[name]!.data as Float32Array]));
}

/** Random inputs of the sizes that belong to a convolution. */
export function inputsOf(g: ConvGeometry): Record<'x' | 'w' | 'dy', Float32Array> {
  return {
    x: random(g.batch * g.height * g.width * g.channels, 1),
    w: random(g.kernelHeight * g.kernelWidth * g.channels * g.outChannels, 2),
    dy: random(g.batch * g.outHeight * g.outWidth * g.outChannels, 3),
  };
}

/** Differences beside the largest value. */
export function expectClose(
  received: Results,
  expected: ReturnType<typeof reference>,
  tolerance: number,
): void {
  for (const [key, values] of Object.entries(received)) {
    const right = expected[key as keyof typeof received];
    const largest = right.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const error = right.reduce((m, v, i) => Math.max(m, Math.abs(v - values[i]!)), 0);
    expect(values.length, key).toBe(right.length);
    expect(error / largest, key).toBeLessThan(tolerance);
  }
}
