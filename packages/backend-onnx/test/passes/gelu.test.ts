import { gelu as geluOf } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { commonSubexpressions } from '../../src/passes/common-subexpressions';
import { foldConstants } from '../../src/passes/fold-constants';
import { gelu } from '../../src/passes/gelu';
import { removeDeadNodes } from '../../src/passes/ir';
import { countsOf, expectAsOnCpu, recorded, waves } from './recorded';

function fused(body: () => tf.Tensor | tf.Tensor[]) {
  const graph = recorded(body);
  for (const pass of [foldConstants, commonSubexpressions, gelu]) pass(graph);
  removeDeadNodes(graph);
  return countsOf(graph);
}

const points = () => tf.concat([waves([5, 8]), tf.tensor2d([[0, -0, 1e-20, 6, -6, 30, -30, 1e20]])]);

describe('gelu', () => {
  it('is one operator where no gradient is asked for', () => {
    const body = () => [geluOf(points())];
    expect(fused(body)).toEqual({ Concat: 1, Gelu: 1 });
    expectAsOnCpu(body);
  });

  it('shares its parts with its gradient', () => {
    const loss = (x: tf.Tensor) => tf.sum(tf.mul(geluOf(x), geluOf(x))) as tf.Scalar;
    const body = () => [tf.grad(loss)(waves([5, 8]))];
    expect(fused(body)).toMatchObject({ Erf: 1, HalfShifted: 1, Exp: 1, Div: 1 });
    expectAsOnCpu(body);
  });

  it('has the gradient of the definition also far from 0', () => {
    expectAsOnCpu(() => [tf.grad((x) => geluOf(x))(points())]);
  });

  it('leaves the tanh form alone', () => {
    const body = () => [geluOf(points(), 'tanh')];
    expect(fused(body).Gelu).toBeUndefined();
    expectAsOnCpu(body);
  });
});
