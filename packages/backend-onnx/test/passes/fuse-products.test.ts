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
    const [p, q] = [() => waves([2, 9, 4]), () => waves([2, 4, 3], 2)];
    const body = () => [tf.mul(tf.matMul(tf.mul(p(), 3), tf.mul(q(), 0.5)), 5)];
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

  it('leaves integers alone', () => {
    const body = () => {
      const x = tf.cast(a(), 'int32');
      return [tf.mul(tf.matMul(x, tf.transpose(x)), tf.scalar(2, 'int32'))];
    };
    expect(countsOf(fused(body)).Mul).toBe(1);
  });
});
