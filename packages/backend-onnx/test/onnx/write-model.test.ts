import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/onnx/graph-builder';
import { splitModel, writeModel } from '../../src/onnx/write-model';
import { loadNodeRuntime } from '../../src/runtime/node-runtime';

/** y = x + c, for a constant of `n` elements. */
function addition(n: number) {
  const g = new GraphBuilder();
  g.inputs.push({ name: 'x', dtype: 'float32', dims: [n] });
  const c = g.constant(
    'float32',
    [n],
    Float32Array.from({ length: n }, (_, i) => i),
  );
  const y = g.node('Add', ['x', c]);
  g.outputs.push({ name: y, dtype: 'float32', dims: [n] });
  return { g, y };
}

describe('a model for a session', () => {
  const runtime = loadNodeRuntime();

  it.each([10, 100_000])('computes with a constant of %i elements, wherever that is kept', (n) => {
    const { g, y } = addition(n);
    const split = splitModel(g);
    const feeds = { x: runtime.tensor('float32', new Float32Array(n).fill(0.5), [n]) };
    for (const model of [split, { bytes: writeModel(g), external: [] }]) {
      const session = runtime.compileSync!(model, {});
      const { data } = session.runSync!(feeds)[y]!;
      expect([data[0], data[n - 1]]).toEqual([0.5, n - 0.5]);
      session.dispose();
    }
  });

  it('has small constants inside and large ones beside it, as they are', () => {
    expect(splitModel(addition(10).g).external).toEqual([]);
    const { g } = addition(100_000);
    const { bytes, external } = splitModel(g);
    expect(bytes.length).toBeLessThan(1000);
    expect(external[0]!.data).toBe(g.initializers[0]!.bytes);
    expect(writeModel(g).length).toBeGreaterThan(400_000);
  });
});
