import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { fuseProducts } from '../../src/passes/fuse-products';
import { removeDeadNodes } from '../../src/passes/ir';
import { countsOf, expectAsOnCpu, recorded, waves } from './recorded';

function fused(body: () => tf.Tensor | tf.Tensor[]) {
  const graph = recorded(body);
  fuseProducts(graph);
  removeDeadNodes(graph);
  return graph;
}

describe('fuseProducts', () => {
  const [a, b] = [() => waves([9, 4]) as tf.Tensor2D, () => waves([4, 3], 2) as tf.Tensor2D];

  it('takes factors of operands and of the result', () => {
    const body = () => [tf.mul(tf.matMul(tf.mul(a(), 3), tf.mul(b(), 0.5)), 5)];
    const { nodes } = fused(body);
    expect(nodes.map(({ type, attrs }) => [type, attrs.alpha])).toEqual([['MatMul', 7.5]]);
    expectAsOnCpu(body);
  });

  it('takes a factor into every product of a batch that reads it', () => {
    const body = () => {
      const scaled = tf.mul(waves([2, 3, 4, 4]), 0.25);
      return [tf.matMul(scaled, waves([2, 3, 4, 5], 2)), tf.matMul(scaled, scaled, true, false)];
    };
    expect(fused(body).nodes.map(({ attrs }) => attrs.alpha)).toEqual([0.25, 0.0625]);
    expectAsOnCpu(body);
  });

  it('keeps a factor that others read', () => {
    const body = () => {
      const scaled = tf.mul(a(), 3);
      return [tf.matMul(scaled, b()), tf.exp(scaled)];
    };
    expect(countsOf(fused(body))).toEqual({ Mul: 1, MatMul: 1, Exp: 1 });
    expectAsOnCpu(body);
  });

  it('adds a bias, or a matrix, on the way', () => {
    const bias = () => [tf.add(tf.matMul(a(), b()), waves([3], 3))];
    const matrix = () => [tf.add(tf.exp(waves([9, 3], 3)), tf.matMul(a(), b()))];
    for (const body of [bias, matrix]) {
      expect(fused(body).nodes.at(-1)!.inputs.length).toBe(3);
      expect(countsOf(fused(body)).Add).toBeUndefined();
      expectAsOnCpu(body);
    }
  });

  it('adds nothing to a product that is read on its own, to one of few rows, or by way of a broadcast', () => {
    const read = () => {
      const product = tf.matMul(a(), b());
      return [tf.add(product, waves([3], 3)), product];
    };
    const few = () => [tf.add(tf.matMul(waves([2, 4]) as tf.Tensor2D, b()), waves([3], 3))];
    const broadcast = () => [tf.add(tf.matMul(a(), b()), waves([2, 9, 3], 3))];
    for (const body of [read, few, broadcast]) {
      expect(countsOf(fused(body)).Add).toBe(1);
      expectAsOnCpu(body);
    }
  });

  it('leaves integers alone', () => {
    const body = () => {
      const x = tf.cast(a(), 'int32');
      return [tf.add(tf.matMul(x, tf.transpose(x)), tf.scalar(1, 'int32'))];
    };
    expect(countsOf(fused(body)).Add).toBe(1);
  });
});
