import { compile } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fallbacks } from './agree';
import { numbers } from './on-cpu';

const image = (x: tf.Tensor) => x as tf.Tensor4D;

/** A training step of a small model, run compiled and as it is: the same losses, and nothing left to the cpu kernels. */
function trains(
  parameters: Record<string, tf.Tensor>,
  loss: (p: Record<string, tf.Variable>) => tf.Tensor,
): void {
  const warn = vi.spyOn(console, 'warn');
  const before = fallbacks();
  const run = (wrap: typeof compile) => {
    const variables = Object.fromEntries(Object.entries(parameters).map(([k, v]) => [k, tf.variable(v)]));
    const step = wrap(() => {
      const { value, grads } = tf.variableGrads(() => loss(variables) as tf.Scalar);
      for (const v of Object.values(variables)) v.assign(tf.sub(v, tf.mul(grads[v.name]!, 0.05)) as never);
      return value;
    });
    const losses = Array.from({ length: 5 }, () => {
      const value = step() as tf.Tensor;
      const [x] = value.dataSync();
      value.dispose();
      return x!;
    });
    for (const v of Object.values(variables)) v.dispose();
    return losses;
  };
  const eager = run(((f: () => tf.Tensor) => () => tf.tidy(f)) as never);
  const compiled = run(compile);
  compiled.forEach(
    (x, i) => void expect(Math.abs(x - eager[i]!)).toBeLessThan(1e-4 * (1 + Math.abs(eager[i]!))),
  );
  expect(compiled[4]!).toBeLessThan(compiled[0]!);
  expect(warn).not.toHaveBeenCalled();
  expect(fallbacks()).toEqual(before);
}

afterEach(() => void vi.restoreAllMocks());

describe('compiled training steps', () => {
  it('of a convolutional classifier with pooling', () => {
    const x = image(numbers([4, 12, 12, 3]));
    const y = tf.oneHot(tf.tensor1d([0, 1, 2, 1], 'int32'), 3);
    trains({ a: tf.mul(numbers([3, 3, 3, 8], 2), 0.2), b: tf.mul(numbers([8, 3], 3), 0.3) }, ({ a, b }) => {
      const h = tf.maxPool(tf.relu(tf.conv2d(x, a as never, 1, 'same')), 3, 2, 'same');
      const pooled = tf.avgPool(h, 6, 6, 'valid');
      return tf.losses.softmaxCrossEntropy(
        y,
        tf.matMul(tf.reshape(pooled, [4, 8]) as tf.Tensor2D, b as never),
      );
    });
  });

  it('of separable convolutions', () => {
    const x = image(numbers([2, 8, 8, 4]));
    trains(
      { d: tf.mul(numbers([3, 3, 4, 2], 2), 0.2), p: tf.mul(numbers([1, 1, 8, 3], 3), 0.2) },
      ({ d, p }) =>
        tf.mean(
          tf.square(
            tf.sub(tf.separableConv2d(x, d as never, p as never, 2, 'same'), numbers([2, 4, 4, 3], 4)),
          ),
        ),
    );
  });

  it('of an encoder and decoder that resizes', () => {
    const x = image(numbers([2, 8, 8, 2]));
    trains(
      { a: tf.mul(numbers([3, 3, 2, 4], 2), 0.2), b: tf.mul(numbers([3, 3, 4, 2], 3), 0.2) },
      ({ a, b }) => {
        const small = tf.tanh(tf.conv2d(x, a as never, 2, 'same'));
        const large = tf.image.resizeBilinear(small, [8, 8], false, true);
        const framed = tf.mirrorPad(
          tf.add(large, tf.image.resizeNearestNeighbor(small, [8, 8])),
          [
            [0, 0],
            [1, 1],
            [1, 1],
            [0, 0],
          ],
          'reflect',
        );
        return tf.mean(tf.square(tf.sub(tf.conv2d(image(framed), b as never, 1, 'valid'), x)));
      },
    );
  });

  it('of a recurrent cell', () => {
    const xs = tf.unstack(numbers([4, 3, 5]));
    trains({ w: tf.mul(numbers([11, 24], 2), 0.2), b: tf.zeros([24]) }, ({ w, b }) => {
      let [c, h] = [tf.zeros([3, 6]), tf.zeros([3, 6])] as [tf.Tensor2D, tf.Tensor2D];
      for (const x of xs)
        [c, h] = tf.basicLSTMCell(tf.scalar(1), w as never, b as never, x as tf.Tensor2D, c, h);
      return tf.mean(tf.square(tf.sub(h, 0.5)));
    });
  });

  it('of volumes, einsum, segments and the largest values', () => {
    const x = numbers([1, 4, 4, 4, 2]) as tf.Tensor5D;
    const ids = tf.tensor1d([0, 1, 0, 2], 'int32');
    trains(
      { a: tf.mul(numbers([2, 2, 2, 2, 3], 2), 0.2), e: tf.mul(numbers([3, 4], 3), 0.3) },
      ({ a, e }) => {
        const h = tf.reshape(tf.maxPool3d(tf.conv3d(x, a as never, 1, 'same'), 2, 2, 'valid'), [8, 3]);
        const mixed = tf.einsum('ij,jk->ki', h, e!);
        const sums = tf.unsortedSegmentSum(mixed, ids, 3);
        return tf.sub(tf.mean(tf.square(tf.sub(sums, 1))), tf.mul(0.01, tf.mean(tf.topk(sums, 2).values)));
      },
    );
  });
});
