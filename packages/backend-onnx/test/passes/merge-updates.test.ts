import { adamW, parameter } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { removeDeadNodes } from '../../src/passes/ir';
import { mergeUpdates } from '../../src/passes/merge-updates';
import { countsOf, expectAsOnCpu, recorded, waves } from './recorded';

/** One step of momentum for tensors of these shapes, with a rate that they share. */
function updates(shapes: number[][], rate = tf.scalar(0.1)): tf.Tensor[] {
  return shapes.flatMap((shape, i) => {
    const [value, speed, grad] = [1, 2, 3].map((seed) => waves(shape, seed + i)) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const next = tf.add(tf.mul(speed, 0.9), grad);
    return [next, tf.sub(value, tf.mul(next, rate))];
  });
}

describe('mergeUpdates', () => {
  it('runs equal chains of several shapes at once', () => {
    const graph = recorded(() => updates([[3], [2, 2], [5], [4, 1, 2]], tf.sqrt(tf.scalar(0.01))));
    mergeUpdates(graph);
    removeDeadNodes(graph);
    expect(countsOf(graph)).toMatchObject({ Mul: 2, Add: 1, Sub: 1, Concat: 3, Split: 2 });
    expect(graph.outputs.map(({ shape }) => shape)).toEqual(
      [[3], [2, 2], [5], [4, 1, 2]].flatMap((shape) => [shape, shape]),
    );
  });

  it('leaves alone what is large, what is single and what other nodes read', () => {
    const large = recorded(() =>
      updates([
        [200, 200],
        [200, 201],
      ]),
    );
    const single = recorded(() => updates([[3]]));
    const read = recorded(() => updates([[3], [4]]).map((t) => tf.sum(tf.exp(t))));
    for (const graph of [large, single, read]) {
      const before = countsOf(graph);
      mergeUpdates(graph);
      removeDeadNodes(graph);
      expect(countsOf(graph)).toEqual(before);
    }
  });

  it('keeps chains with other scalars apart', () => {
    const graph = recorded(() => [...updates([[3]], tf.scalar(0.1)), ...updates([[4]], tf.scalar(0.2))]);
    mergeUpdates(graph);
    expect(countsOf(graph).Concat).toBeUndefined();
  });

  it('changes no value', () => {
    expectAsOnCpu(() => updates([[3], [2, 2], [5], [4, 1, 2]]), 0);
  });

  it('serves the optimizers, with clipping', () => {
    expectAsOnCpu(() => {
      const optimizer = adamW({ lr: 0.1, clip: { norm: 1 } });
      const weights = { a: parameter(waves([3, 4])), b: parameter(waves([7])), c: parameter(waves([2])) };
      for (let i = 1; i < 4; i++) {
        const grads = { a: waves([3, 4], i), b: waves([7], i), c: waves([2], i) };
        optimizer.step(weights, grads);
      }
      const values = Object.values(weights).map((w) => tf.clone(w as tf.Tensor));
      tf.dispose(Object.values(weights));
      optimizer.dispose();
      return values;
    });
  });
});
