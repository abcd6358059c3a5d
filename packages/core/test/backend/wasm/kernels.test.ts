import { expectNoLeak } from '@poiesis/testing';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { numbers, onBackend } from '../on-backend';

// Sizes at which the corrected wasm kernels leave tfjs's own ways, held to tfjs cpu. On cpu this compares it with
// itself, which costs nothing.

const ids = (shape: number[], n: number) =>
  tf.tensor(
    Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 7919) % n),
    shape,
    'int32',
  );

const cases: [name: string, run: () => tf.Tensor[]][] = [
  ...[true, false].flatMap((ta) =>
    [true, false].map((tb): [string, () => tf.Tensor[]] => [
      `products of batches, transposed ${ta} ${tb}`,
      () => [
        tf.matMul(
          numbers(ta ? [2, 3, 24, 30] : [2, 3, 30, 24]),
          numbers(tb ? [2, 3, 20, 24] : [2, 3, 24, 20], 2),
          ta,
          tb,
        ),
      ],
    ]),
  ),
  ['one matrix for a batch', () => [tf.matMul(numbers([5, 30, 24]), numbers([24, 20], 2))]],
  ['a batch for one matrix', () => [tf.matMul(numbers([30, 24]), numbers([5, 24, 20], 2))]],
  ['small products', () => [tf.matMul(numbers([4, 3, 5]), numbers([4, 6, 5], 2), false, true)]],
  ...(['linear', 'relu', 'relu6', 'elu', 'prelu', 'leakyrelu', 'sigmoid'] as const).map(
    (activation): [string, () => tf.Tensor[]] => [
      `a product with bias and ${activation}`,
      () => {
        const [a, b, bias] = [numbers([30, 24]), numbers([24, 20], 2), numbers([20], 3)];
        const weights = activation === 'prelu' ? numbers([20], 4) : undefined;
        const options = { activation, preluActivationWeights: weights, leakyreluAlpha: 0.2 };
        return [tf.fused.matMul({ a, b, bias, ...options })];
      },
    ],
  ),
  ['a product of vectors', () => [tf.matMul(numbers([1, 4000]), numbers([4000, 3], 2))]],
  ['slices', () => [tf.slice(numbers([3, 4, 5, 20]), [1, 0, 2, 0], [2, 4, 2, 20])]],
  ['slices of the last axis', () => [tf.slice(numbers([3, 4, 40]), [0, 0, 3], [3, 4, 30])]],
  ['slices of integers', () => [tf.slice(ids([5, 6], 30), [1, 2], [3, 3])]],
  ['empty slices', () => [tf.slice(numbers([5, 6]), [1, 2], [0, 3])]],
  ['slices of booleans', () => [tf.slice(tf.greater(numbers([5, 6]), 0), [1, 2], [3, 3])]],
  ['splits', () => tf.split(numbers([4, 6, 20]), [1, 2, 3], 1)],
  ['reversed axes', () => [tf.reverse(numbers([3, 4, 20]), [0, 1]), tf.reverse(numbers([3, 4]), 1)]],
  ['tiles', () => [tf.tile(numbers([3, 1, 20]), [2, 3, 1]), tf.tile(numbers([3, 4]), [1, 5])]],
  ['broadcasts', () => [tf.broadcastTo(numbers([3, 1, 1]), [2, 3, 4, 20])]],
  ['depth to space', () => [tf.depthToSpace(numbers([2, 3, 2, 32]) as tf.Tensor4D, 2)]],
  ['strided slices', () => [tf.stridedSlice(numbers([7, 8, 20]), [1, 0, 0], [7, 8, 20], [2, 3, 1])]],
  ['new axes', () => [tf.stridedSlice(numbers([7, 8]), [0, 1, 0], [0, 5, 8], [1, 2, 3], 0, 0, 0, 1)]],
  [
    'gathers',
    () => [tf.gather(numbers([9, 20]), ids([4, 3], 9)), tf.gather(numbers([3, 9, 2]), ids([5], 9), 1)],
  ],
  ['segment sums', () => [tf.unsortedSegmentSum(numbers([40, 20]), ids([40], 7) as tf.Tensor1D, 7)]],
  ['leaky relu', () => [tf.leakyRelu(numbers([10, 10]), 0.2), tf.leakyRelu(numbers([10]), 0)]],
  ['tanh', () => [tf.tanh(tf.mul(numbers([2000]), 12)), tf.tanh(tf.mul(numbers([2000]), 1e-4))]],
  ['copies', () => [tf.clone(numbers([10]))]],
  [
    'pools',
    () => Object.values(tf.maxPoolWithArgmax(tf.sub(numbers([2, 5, 5, 3]), 2) as tf.Tensor4D, 3, 2, 'same')),
  ],
  [
    'the gradient of a pool',
    () => [tf.grad((x) => tf.maxPool(x as tf.Tensor4D, 3, 2, 1))(tf.sub(numbers([2, 5, 5, 3]), 2))],
  ],
];

describe('corrected kernels', () => {
  it.each(cases)('%s', async (_, run) => {
    const expected = await onBackend('cpu', run);
    const actual = tf.tidy(() =>
      run().map((t) => ({ shape: t.shape, values: Float32Array.from(t.dataSync()) })),
    );
    expect(actual.map((t) => t.shape)).toEqual(expected.map((t) => t.shape));
    for (const [i, { values }] of actual.entries()) expect(values).toBeAllClose(expected[i]!.values, 1e-5);
    const held = tf.backend().numDataIds();
    await expectNoLeak(() => tf.dispose(tf.tidy(run)));
    expect(tf.backend().numDataIds()).toBe(held);
  });

  it.each([
    [
      [2, 1],
      [1, 3],
    ],
    [
      [2, 1],
      [2, 3],
    ],
    [[3], [2, 3]],
    [
      [2, 3],
      [2, 1],
    ],
  ])('broadcasts the batches %j and %j of a product', (left, right) => {
    const a = numbers([...left, 30, 24]);
    const b = numbers([...right, 24, 20], 2);
    const all = tf.matMul(a, b);
    expect(all.shape).toEqual([2, 3, 30, 20]);
    const wideA = tf.unstack(tf.reshape(tf.broadcastTo(a, [2, 3, 30, 24]), [6, 30, 24]));
    const wideB = tf.unstack(tf.reshape(tf.broadcastTo(b, [2, 3, 24, 20]), [6, 24, 20]));
    const each = tf.stack(wideA.map((m, i) => tf.matMul(m, wideB[i]!)));
    expect(all).toBeAllClose(tf.reshape(each, [2, 3, 30, 20]));
  });

  it('multiplies by the same numbers in two shapes', () => {
    const values = numbers([480], 2);
    for (const [k, n] of [
      [24, 20],
      [20, 24],
      [480, 1],
    ] as const) {
      const [a, b] = [numbers([30, k]), tf.reshape(values, [k, n])];
      const expected = tf.sum(tf.mul(tf.reshape(a, [30, k, 1]), b), 1);
      expect(tf.matMul(a, b)).toBeAllClose(expected);
      expect(tf.fused.matMul({ a, b })).toBeAllClose(expected);
    }
  });

  it('keeps a copy when the original goes', () => {
    const x = numbers([10]);
    const values = Array.from(x.dataSync());
    const y = tf.clone(x);
    x.dispose();
    tf.dispose(tf.ones([10]));
    expect(Array.from(y.dataSync())).toEqual(values);
    y.dispose();
  });

  it('says which index is out of range', () => {
    expect(() => tf.gather(numbers([3, 2]), tf.tensor1d([1, 3], 'int32'))).toThrow(
      /index value 3 is not in \[0, 2\]/,
    );
  });
});
