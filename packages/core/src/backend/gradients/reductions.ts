import * as tf from '@tensorflow/tfjs-core';
import { type Gradient, reduceTo } from './config';

/** tfjs's own transposes the result for every axis but the last, and so has the wrong shape. */
const cumsum: Gradient = {
  kernelName: tf.Cumsum,
  gradFunc: (
    dy,
    _,
    { axis, exclusive, reverse }: { axis: number; exclusive: boolean; reverse: boolean },
  ) => ({
    x: () => tf.cumsum(dy, axis, exclusive, !reverse),
  }),
};

/** tfjs's own calls methods that tensors do not have in Node. The product of all others, by two exclusive cumprods. */
const prod: Gradient = {
  kernelName: tf.Prod,
  inputsToSave: ['x'],
  gradFunc: (dy, [saved], { axis }: { axis: number | number[] | null }) => ({
    x: () => {
      const x = saved!;
      const axes =
        axis === null || axis === undefined
          ? x.shape.map((_, i) => i)
          : tf.util.parseAxisParam(axis, x.shape);
      const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
      const order = [...kept, ...axes];
      // (kept…, product of the axes)
      const columns =
        x.size /
        Math.max(
          1,
          axes.reduce((n, a) => n * x.shape[a]!, 1),
        );
      const rows = tf.reshape(tf.transpose(x, order), [columns, x.size / columns]);
      const others = tf.mul(tf.cumprod(rows, 1, true, false), tf.cumprod(rows, 1, true, true));
      const slopes = tf.mul(tf.reshape(dy, [columns, 1]), others);
      const back = order.map((_, i) => order.indexOf(i));
      return tf.transpose(
        tf.reshape(
          slopes,
          order.map((a) => x.shape[a]!),
        ),
        back,
      );
    },
  }),
};

/**
 * dx_i = Σ_{j reached by i} dy_j · y_j / x_i, written without the division, which a 0 would spoil: for each i the
 * products that contain x_i, with a 1 in its place. n products of length n; these axes are short.
 */
const cumprod: Gradient = {
  kernelName: tf.Cumprod,
  inputsToSave: ['x'],
  gradFunc: (dy, [saved], attrs: { axis: number; exclusive: boolean; reverse: boolean }) => ({
    x: () => {
      const { exclusive, reverse } = attrs;
      const [axis] = tf.util.parseAxisParam(attrs.axis, saved!.shape) as [number];
      const n = saved!.shape[axis]!;
      const order = saved!.shape.map((_, i) => i).filter((i) => i !== axis);
      order.push(axis);
      const x = tf.reshape(tf.transpose(saved!, order), [-1, 1, n]); // (rows, 1, n)
      const slopes = tf.reshape(tf.transpose(dy, order), [-1, 1, n]);
      const diagonal = tf.reshape(tf.eye(n), [1, n, n]);
      // Row i holds x with a 1 at i, so that its cumprod leaves x_i out.
      const without = tf.add(tf.mul(x, tf.sub(1, diagonal)), diagonal); // (rows, n, n)
      const products = tf.cumprod(without, 2, exclusive, reverse);
      const reached = tf.cumsum(diagonal, 2, exclusive, reverse); // 1 where y_j contains x_i
      const dx = tf.sum(tf.mul(tf.mul(products, reached), slopes), 2); // (rows, n)
      const back = order.map((_, i) => order.indexOf(i));
      return tf.transpose(
        tf.reshape(
          dx,
          order.map((a) => saved!.shape[a]!),
        ),
        back,
      );
    },
  }),
};

/** As tfjs's own, but summed over batch axes along which an operand was broadcast. */
const batchMatMul: Gradient = {
  kernelName: tf.BatchMatMul,
  inputsToSave: ['a', 'b'],
  gradFunc: (dy, [a, b], { transposeA, transposeB }: { transposeA: boolean; transposeB: boolean }) => ({
    a: () => {
      const da = transposeA ? tf.matMul(b!, dy, transposeB, true) : tf.matMul(dy, b!, false, !transposeB);
      return reduceTo(da, a!.shape);
    },
    b: () => {
      const db = transposeB ? tf.matMul(dy, a!, true, transposeA) : tf.matMul(a!, dy, !transposeA, false);
      return reduceTo(db, b!.shape);
    },
  }),
};

export const reductionGradients: readonly Gradient[] = [batchMatMul, cumprod, cumsum, prod];
