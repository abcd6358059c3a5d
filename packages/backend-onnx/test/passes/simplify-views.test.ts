import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { removeDeadNodes } from '../../src/passes/ir';
import { simplifyViews } from '../../src/passes/simplify-views';
import { countsOf, expectAsOnCpu, recorded, waves } from './recorded';

function simplified(body: () => tf.Tensor | tf.Tensor[]) {
  const graph = recorded(body);
  simplifyViews(graph);
  removeDeadNodes(graph);
  return graph;
}

describe('simplifyViews', () => {
  it('takes transposes together', () => {
    const twice = () => tf.transpose(tf.transpose(waves([2, 3, 4]), [2, 0, 1]), [1, 0, 2]);
    const graph = simplified(twice);
    expect(graph.nodes.map(({ type, attrs }) => [type, attrs])).toEqual([['Transpose', { perm: [0, 2, 1] }]]);
    const undone = () => tf.exp(tf.transpose(tf.transpose(waves([2, 3, 4]), [2, 0, 1]), [1, 2, 0]));
    expect(countsOf(simplified(undone))).toEqual({ Exp: 1 });
    expectAsOnCpu(() => [twice(), undone()]);
  });

  it('makes a transpose that moves axes of length 1 only a reshape', () => {
    const body = () => tf.transpose(waves([1, 5, 1, 2]), [1, 0, 3, 2]);
    expect(countsOf(simplified(body))).toEqual({ Reshape: 1 });
    expectAsOnCpu(() => [body()]);
  });

  it('moves reshapes behind elementwise operators, and drops those that then undo each other', () => {
    const body = () => {
      const rows = tf.relu(waves([6, 4])); // (6, 4)
      const other = tf.exp(waves([6, 4], 2));
      const sum = tf.add(tf.reshape(rows, [2, 3, 4]), tf.reshape(other, [2, 3, 4]));
      const shifted = tf.mul(tf.add(sum, waves([4], 3)), 0.5);
      return tf.matMul(tf.reshape(tf.tanh(shifted), [6, 4]), waves([4, 2], 4));
    };
    expect(countsOf(simplified(body)).Reshape).toBeUndefined();
    expectAsOnCpu(() => [body()]);
  });

  it('leaves reshapes that operands of other shapes need', () => {
    const body = () => tf.add(tf.reshape(tf.exp(waves([6, 4])), [2, 3, 4]), tf.exp(waves([3, 4])));
    expect(countsOf(simplified(body)).Reshape).toBe(1);
    expectAsOnCpu(() => [body()]);
  });

  it('drops slices and paddings of nothing', () => {
    expect(countsOf(simplified(() => tf.exp(tf.slice(tf.exp(waves([4, 2])), [0, 0], [4, 2]))))).toEqual({
      Exp: 2,
    });
    expect(
      countsOf(
        simplified(() =>
          tf.exp(
            tf.pad(tf.exp(waves([4, 2])), [
              [0, 0],
              [0, 0],
            ]),
          ),
        ),
      ),
    ).toEqual({ Exp: 2 });
  });
});
