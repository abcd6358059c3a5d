import * as tf from '@tensorflow/tfjs-core';
import type { KernelCompletion } from './completion';
import { spread } from './spread';

// Gradients of conv3d, tap by tap, as matrix products. Volumes are small; what counts here is that it is right.

interface Conv3DAttrs {
  strides: number | [number, number, number];
  pad: 'valid' | 'same';
}
type Shape5D = [number, number, number, number, number];

/** Where each tap of the filter meets the padded input. */
function geometry(inputShape: number[], filterShape: number[], { strides, pad }: Conv3DAttrs) {
  const info = tf.backend_util.computeConv3DInfo(
    inputShape as Shape5D,
    filterShape as Shape5D,
    strides,
    1,
    pad,
  );
  const { padInfo: p } = info;
  const output = [info.outDepth, info.outHeight, info.outWidth];
  const stride = [info.strideDepth, info.strideHeight, info.strideWidth] as const;
  const filter = [info.filterDepth, info.filterHeight, info.filterWidth];
  const input = [info.inDepth, info.inHeight, info.inWidth];
  const before = [p.front, p.top, p.left];
  // As far as the last tap of the last output reaches, which may be less than the input.
  const length = input.map((n, i) => Math.max(n + before[i]!, (output[i]! - 1) * stride[i]! + filter[i]!));
  const taps = Array.from({ length: filter[0]! * filter[1]! * filter[2]! }, (_, k) => [
    Math.floor(k / (filter[1]! * filter[2]!)),
    Math.floor(k / filter[2]!) % filter[1]!,
    k % filter[2]!,
  ]);
  return { batch: info.batchSize, input, output, stride, before, length, taps };
}

export const conv3dBackpropInput: KernelCompletion = {
  kernel: tf.Conv3DBackpropInputV2,
  run({ dy, filter }, attrs: Conv3DAttrs & { inputShape: number[] }) {
    const [, , , channels, out] = filter!.shape as Shape5D;
    const g = geometry(attrs.inputShape, filter!.shape, attrs);
    const slopes = tf.reshape(dy!, [dy!.size / out, out]);
    const weights = tf.reshape(filter!, [g.taps.length, channels, out]);
    const addTap = (total: tf.Tensor | null, tap: number[], k: number) => {
      const part = tf.matMul(slopes, tf.reshape(tf.slice(weights, k, 1), [channels, out]), false, true);
      let at: tf.Tensor = tf.reshape(part, [g.batch, ...g.output, channels]);
      for (let d = 0; d < 3; d++) at = spread(at, d + 1, tap[d]!, g.stride[d]!, g.length[d]!);
      return total ? tf.add(total, at) : at;
    };
    const sum = g.taps.reduce<tf.Tensor | null>(
      (total, tap, k) => tf.tidy(() => addTap(total, tap, k)),
      null,
    );
    return tf.slice(sum!, [0, ...g.before, 0], [g.batch, ...g.input, channels]);
  },
};

export const conv3dBackpropFilter: KernelCompletion = {
  kernel: tf.Conv3DBackpropFilterV2,
  run({ x, dy }, attrs: Conv3DAttrs & { filterShape: number[] }) {
    const [, , , channels, out] = attrs.filterShape as Shape5D;
    const g = geometry(x!.shape, attrs.filterShape, attrs);
    const margins = g.length.map((n, i): [number, number] => [g.before[i]!, n - g.before[i]! - g.input[i]!]);
    const padded = tf.pad(x!, [[0, 0], ...margins, [0, 0]]);
    const slopes = tf.reshape(dy!, [dy!.size / out, out]);
    const parts = g.taps.map((tap) => {
      const end = tap.map((k, i) => k + (g.output[i]! - 1) * g.stride[i]! + 1);
      const seen = tf.stridedSlice(padded, [0, ...tap, 0], [g.batch, ...end, channels], [1, ...g.stride, 1]);
      return tf.matMul(tf.reshape(seen, [slopes.shape[0], channels]), slopes, true, false);
    });
    return tf.reshape(tf.stack(parts), attrs.filterShape);
  },
};
