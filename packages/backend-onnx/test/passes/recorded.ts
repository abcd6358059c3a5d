import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { OnnxBackend } from '../../src/backend';
import { type Graph, graphOf } from '../../src/passes/ir';
import { traceOf } from '../../src/trace/program';

/** The graph of what `body` records, before any pass. */
export function recorded(body: () => tf.Tensor | tf.Tensor[]): Graph {
  const onnx = tf.backend() as OnnxBackend;
  let graph!: Graph;
  tf.tidy(() => {
    const made = [body()].flat();
    const { ops, outputs, leaves } = traceOf(made.map((t) => onnx.traced(t)));
    graph = graphOf(
      ops,
      outputs,
      leaves,
      leaves.map((leaf) => leaf.splat),
    );
  });
  return graph;
}

/** How many nodes of each type a graph has. */
export function countsOf({ nodes }: Graph): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of nodes) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

/** Expects the values of `body` here to be those of tfjs's cpu backend, within `tolerance` of the largest one. */
export function expectAsOnCpu(body: () => tf.Tensor[], tolerance = 1e-5): void {
  const read = () => tf.tidy(() => body().map((t) => Float32Array.from(t.dataSync())));
  const before = tf.getBackend();
  const here = read();
  tf.setBackend('cpu');
  let there: Float32Array[];
  try {
    there = read();
  } finally {
    tf.setBackend(before);
  }
  expect(here.length).toBe(there.length);
  here.forEach((values, i) => {
    const scale = Math.max(1e-6, ...there[i]!.map(Math.abs));
    values.forEach((v, k) => {
      expect(
        Math.abs(v - there[i]![k]!),
        `output ${i}, element ${k}: ${v}, ${there[i]![k]}`,
      ).toBeLessThanOrEqual(tolerance * scale);
    });
  });
}

/** The same random-looking numbers for the same shape and seed, on every backend. */
export function waves(shape: number[], seed = 1): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 12.9898 * seed + seed) * 1.5),
    shape,
  );
}
