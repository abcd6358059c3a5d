import { compile } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { OnnxBackend } from '../../src/backend';
import { buildModel, traceOf } from '../../src/trace/program';

/** The model of what `body` records, all of its leaves being constants. */
function modelOf(body: () => tf.Tensor) {
  const trace = traceOf([(tf.backend() as OnnxBackend).traced(tf.tidy(body))]);
  return buildModel(
    trace,
    trace.leaves.map((leaf) => leaf.data ?? undefined),
  );
}

describe('constant data', () => {
  const matrix = tf.randomNormal([100, 100]) as tf.Tensor2D;
  const sizes = (body: () => tf.Tensor) => {
    const { graph, feeds } = modelOf(body);
    const constants = graph.initializers.filter(({ dims }) => dims.length === 2);
    return { baked: constants.map(({ dims }) => dims.join('×')).sort(), fed: feeds.length };
  };

  it('goes into the model where it is small', () => {
    expect(sizes(() => tf.mul(tf.randomNormal([3, 4]), tf.randomNormal([3, 4])))).toEqual({
      baked: ['3×4', '3×4'],
      fed: 0,
    });
  });

  it('goes there where it is the right matrix of a product, directly or after a move', () => {
    const x = tf.randomNormal([1, 100]) as tf.Tensor2D;
    const expected = { baked: ['100×100', '1×100'], fed: 0 };
    expect(sizes(() => tf.matMul(x, matrix, false, true))).toEqual(expected);
    expect(sizes(() => tf.matMul(x, tf.transpose(matrix)))).toEqual(expected);
  });

  it('is split where it is one huge matrix, which is packed piece by piece', () => {
    const [n, k] = [9_000, 1024];
    const table = tf.randomUniform([n, k]) as tf.Tensor2D;
    const x = tf.randomUniform([2, k]) as tf.Tensor2D;
    expect(sizes(() => tf.matMul(x, table, false, true))).toEqual({
      baked: ['2048×1024', '2048×1024', '2048×1024', '2048×1024', '2×1024', '808×1024'],
      fed: 0,
    });
    const run = compile((x: tf.Tensor2D) => tf.matMul(x, table, false, true), { check: 0 });
    const expected = tf.matMul(x, table, false, true);
    for (const y of [run(x), run(x)])
      expect(tf.max(tf.abs(tf.sub(y, expected))).dataSync()[0]).toBeLessThan(1e-3);
    tf.dispose([table, x, expected]);
  });

  it('is fed, without a copy, to whatever else reads much of it', () => {
    const twice = () => tf.gather(matrix, tf.tensor([7], [1], 'int32'));
    expect(sizes(twice)).toEqual({ baked: [], fed: 1 });
    expect(sizes(() => tf.matMul(twice() as tf.Tensor2D, matrix, false, true))).toEqual({
      baked: ['100×100'],
      fed: 1,
    });
  });
});
