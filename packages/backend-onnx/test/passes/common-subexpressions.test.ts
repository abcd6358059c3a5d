import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { commonSubexpressions } from '../../src/passes/common-subexpressions';
import { removeDeadNodes } from '../../src/passes/ir';
import { countsOf, expectAsOnCpu, recorded, waves } from './recorded';

describe('commonSubexpressions', () => {
  const x = () => waves([3, 4]);

  it('computes equal expressions once', () => {
    const body = () => {
      const t = x();
      return tf.add(tf.exp(tf.mul(t, 2)), tf.tanh(tf.mul(t, 2)));
    };
    const graph = recorded(body);
    commonSubexpressions(graph);
    removeDeadNodes(graph);
    expect(countsOf(graph)).toEqual({ Mul: 1, Exp: 1, Tanh: 1, Add: 1 });
    expectAsOnCpu(() => [body()]);
  });

  it('keeps apart what differs in an attribute, a number or an operand', () => {
    const graph = recorded(() => {
      const t = x();
      return [tf.sum(t, 0), tf.sum(t, 1), tf.mul(t, 2), tf.mul(t, 3), tf.exp(t), tf.exp(waves([3, 4], 2))];
    });
    const before = countsOf(graph);
    commonSubexpressions(graph);
    removeDeadNodes(graph);
    expect(countsOf(graph)).toEqual(before);
  });

  it('gives an output that is asked for twice twice', () => {
    expectAsOnCpu(() => {
      const t = x();
      return [tf.exp(t), tf.exp(t)];
    });
  });
});
