import * as tf from '@tensorflow/tfjs-core';
import { spread } from '../complete/spread';
import type { Gradient } from './config';

const depthToSpace: Gradient = {
  kernelName: tf.DepthToSpace,
  gradFunc: (dy, _, { blockSize: s, dataFormat }: { blockSize: number; dataFormat: 'NHWC' | 'NCHW' }) => ({
    x: () => {
      if (dataFormat === 'NHWC') {
        const [batch, h, w, c] = dy.shape as [number, number, number, number];
        const blocks = tf.reshape(dy, [batch, h / s, s, w / s, s, c]);
        return tf.reshape(tf.transpose(blocks, [0, 1, 3, 2, 4, 5]), [batch, h / s, w / s, s * s * c]);
      }
      const [batch, c, h, w] = dy.shape as [number, number, number, number];
      const blocks = tf.reshape(dy, [batch, c, h / s, s, w / s, s]);
      return tf.reshape(tf.transpose(blocks, [0, 3, 5, 1, 2, 4]), [batch, s * s * c, h / s, w / s]);
    },
  }),
};

const diag: Gradient = {
  kernelName: tf.Diag,
  inputsToSave: ['x'],
  gradFunc: (dy, [x]) => ({
    x: () => {
      const n = x!.size;
      return tf.reshape(tf.sum(tf.mul(tf.reshape(dy, [n, n]), tf.eye(n)), 1), x!.shape);
    },
  }),
};

const flipLeftRight: Gradient = {
  kernelName: tf.FlipLeftRight,
  gradFunc: (dy) => ({ image: () => tf.reverse(dy, 2) }),
};

/** tfjs's own drops what the mirror images contribute. Axis by axis, they are folded back onto what they mirror. */
const mirrorPad: Gradient = {
  kernelName: tf.MirrorPad,
  inputsToSave: ['x'],
  gradFunc: (
    dy,
    [x],
    { paddings, mode }: { paddings: [number, number][]; mode: 'reflect' | 'symmetric' },
  ) => ({
    x: () => paddings.reduce<tf.Tensor>((g, pad, axis) => fold(g, axis, x!.shape[axis]!, pad, mode), dy),
  }),
};

function fold(
  g: tf.Tensor,
  axis: number,
  size: number,
  [before, after]: [number, number],
  mode: 'reflect' | 'symmetric',
): tf.Tensor {
  // 'reflect' does not repeat the element at the edge.
  const edge = mode === 'reflect' ? 1 : 0;
  const part = (from: number, count: number) =>
    tf.slice(
      g,
      g.shape.map((_, i) => (i === axis ? from : 0)),
      g.shape.map((n, i) => (i === axis ? count : n)),
    );
  const mirrored = (from: number, count: number, to: number) =>
    tf.pad(
      tf.reverse(part(from, count), axis),
      g.shape.map((_, i) => (i === axis ? [to, size - to - count] : [0, 0])),
    );
  let sum = part(before, size);
  if (before > 0) sum = tf.add(sum, mirrored(0, before, edge));
  if (after > 0) sum = tf.add(sum, mirrored(before + size, after, size - edge - after));
  return sum;
}

/** The gradient of a strided slice: its elements back in their places, zeros elsewhere. */
const stridedSlice: Gradient = {
  kernelName: tf.StridedSlice,
  inputsToSave: ['x'],
  gradFunc: (dy, [x], a: tf.StridedSliceAttrs) => ({
    x: () => {
      const { begin, end, strides } = tf.slice_util.sliceInfo(
        x!.shape,
        a.begin,
        a.end,
        a.strides,
        a.beginMask,
        a.endMask,
        a.ellipsisMask,
        a.newAxisMask,
        a.shrinkAxisMask,
      );
      const taken = tf.slice_util.computeOutShape(begin, end, strides);
      let g: tf.Tensor = tf.reshape(dy, taken);
      for (let axis = 0; axis < taken.length; axis++) {
        g = spread(g, axis, begin[axis]!, strides[axis]!, x!.shape[axis]!);
      }
      return g;
    },
  }),
};

export const rearrangingGradients: readonly Gradient[] = [
  depthToSpace,
  diag,
  flipLeftRight,
  mirrorPad,
  stridedSlice,
];
