import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { gatherRows } from '../../src/passes/gather-rows';
import { removeDeadNodes } from '../../src/passes/ir';
import { countsOf, expectAsOnCpu, recorded, waves } from './recorded';

const [batch, time, heads, size] = [4, 32, 4, 16];

function gathered(body: () => tf.Tensor[]) {
  const graph = recorded(body);
  gatherRows(graph);
  removeDeadNodes(graph);
  return countsOf(graph);
}

/** The parts of a projection as heads, as attention takes them apart. */
function split(x: tf.Tensor, parts: number): tf.Tensor[] {
  return tf
    .split(x, parts, -1)
    .map((part) => tf.transpose(tf.reshape(part, [batch, time, heads, size]), [0, 2, 1, 3]));
}

describe('gatherRows', () => {
  it('takes heads out of a projection in one pass each', () => {
    const body = () => {
      const [q, k, v] = split(tf.tanh(waves([batch, time, 3 * heads * size])), 3) as [
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
      ];
      return [tf.add(tf.mul(tf.tanh(q), tf.tanh(k)), tf.tanh(v))];
    };
    expect(gathered(body)).toMatchObject({ Gather: 3 });
    expect(gathered(body).Split).toBeUndefined();
    expect(gathered(body).Transpose).toBeUndefined();
    expectAsOnCpu(body);
  });

  it('puts heads together in two', () => {
    const body = () => {
      const parts = [1, 2, 3].map((seed) => tf.tanh(waves([batch, heads, time, size], seed)));
      const rows = parts.map((p) => tf.reshape(tf.transpose(p, [0, 2, 1, 3]), [batch, time, heads * size]));
      return [tf.tanh(tf.concat(rows, -1))];
    };
    expect(gathered(body)).toMatchObject({ Concat: 1, Gather: 1 });
    expectAsOnCpu(body);
  });

  it('follows slices, and sources that are used twice', () => {
    const body = () => {
      const x = tf.tanh(waves([batch, time, 2 * heads * size]));
      const [a, b] = split(x, 2) as [tf.Tensor, tf.Tensor];
      const middle = tf.slice(tf.concat([b, a, b], 1), [1, 2, 3, 0], [2, 8, 29, size]);
      return [tf.tanh(tf.tile(middle, [2, 1, 1, 1]))];
    };
    const many = () => tf.tanh(tf.concat([body()[0]!, body()[0]!], 0));
    expectAsOnCpu(() => [...body(), many()]);
  });

  it('leaves a single move alone, and one of single elements', () => {
    const single = () => [tf.tanh(tf.transpose(tf.tanh(waves([batch, time, heads, size])), [0, 2, 1, 3]))];
    const elements = () =>
      split(tf.tanh(waves([batch, time, 2 * heads * size])), 2).map((t) =>
        tf.tanh(tf.transpose(t, [0, 1, 3, 2])),
      );
    expect(gathered(single)).toMatchObject({ Transpose: 1 });
    expect(gathered(elements).Gather).toBeUndefined();
    expectAsOnCpu(() => [...single(), ...elements()]);
  });
});
