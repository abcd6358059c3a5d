import { layerNorm as layerNormOf, rmsNorm } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { commonSubexpressions } from '../../src/passes/common-subexpressions';
import { foldConstants } from '../../src/passes/fold-constants';
import { removeDeadNodes } from '../../src/passes/ir';
import { layerNorm } from '../../src/passes/layer-norm';
import { simplifyViews } from '../../src/passes/simplify-views';
import { countsOf, expectAsOnCpu, recorded, waves } from './recorded';

function fused(body: () => tf.Tensor | tf.Tensor[]) {
  const graph = recorded(body);
  for (const pass of [foldConstants, simplifyViews, commonSubexpressions, layerNorm]) pass(graph);
  removeDeadNodes(graph);
  return countsOf(graph);
}

const affine = () => ({ weight: waves([8], 2), bias: waves([8], 3) });
const gradients = (f: (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) => tf.Tensor, x: tf.Tensor) => {
  const loss = (...[x, w, b]: tf.Tensor[]) =>
    tf.sum(tf.mul(tf.square(f(x!, w!, b!)), waves([5, 8], 4))) as tf.Scalar;
  return tf.grads(loss)([x, affine().weight, affine().bias]);
};

describe('layerNorm', () => {
  it('is one operator forward', () => {
    const body = () => [layerNormOf(waves([2, 5, 8]), 8, affine())];
    expect(fused(body)).toEqual({ LayerNorm: 1, Reshape: 1 });
    expectAsOnCpu(body);
  });

  it('is one operator without scale and shift', () => {
    const body = () => [layerNormOf(waves([5, 8]), 8)];
    expect(fused(body)).toEqual({ LayerNorm: 1 });
    expectAsOnCpu(body);
  });

  it('has a gradient of one operator', () => {
    const body = () => gradients((x, weight, bias) => layerNormOf(x, 8, { weight, bias }), waves([5, 8]));
    expect(fused(body)).toMatchObject({ LayerNorm: 1, Standardized: 1, StandardizedGradient: 1 });
    expect(fused(body).Sub).toBeUndefined();
    expectAsOnCpu(body);
  });

  it('keeps its digits where the mean is large', () => {
    const x = () => tf.add(waves([5, 8]), 300);
    expectAsOnCpu(() => [layerNormOf(x(), 8, affine())], 2e-4);
    expectAsOnCpu(() => gradients((x, weight, bias) => layerNormOf(x, 8, { weight, bias }), x()), 2e-4);
  });

  it('leaves other normalizations alone', () => {
    expect(fused(() => rmsNorm(waves([5, 8]), 8)).LayerNorm).toBeUndefined();
    const columns = () => {
      const x = waves([5, 8]);
      const centred = tf.sub(x, tf.mean(x, 0, true));
      return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), 0, true), 1e-5)));
    };
    expect(fused(columns).LayerNorm).toBeUndefined();
  });
});
