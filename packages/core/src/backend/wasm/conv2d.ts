import * as tf from '@tensorflow/tfjs-core';
import type { ConvAttrs } from '../complete/conv-geometry';
import { explicitPad } from '../complete/padding';
import type { Correction } from './correction';

// XNNPACK writes beyond the result, and so over the heap's own bookkeeping, in two cases that tfjs lets through: 'same'
// padding with a filter smaller than the stride, which it takes for a negative padding, and results without elements.
// So it gets the padding of each side, and no empty work.

function guarded(kernel: string, depthwise: boolean): Correction {
  return {
    kernel,
    correct: (original) => (args) => {
      const { x, filter } = args.inputs as { x: tf.Tensor4D; filter: tf.Tensor4D };
      const attrs: ConvAttrs = args.attrs;
      if (attrs.dataFormat === 'NCHW') return original(args);
      const info = tf.backend_util.computeConv2DInfo(
        x.shape,
        filter.shape,
        attrs.strides,
        attrs.dilations ?? 1,
        explicitPad(attrs.pad),
        attrs.dimRoundingMode,
        depthwise,
      );
      const shape = info.outShape.map((n) => Math.max(0, n));
      if (shape.includes(0)) return args.backend.makeOutput(shape, 'float32');
      const { top, bottom, left, right } = info.padInfo;
      const pad = [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ];
      return original({ ...args, attrs: { ...attrs, pad } });
    },
  };
}

export const guardedConvolutions: readonly Correction[] = [
  guarded(tf.Conv2D, false),
  guarded(tf.DepthwiseConv2dNative, true),
  guarded(tf.FusedConv2D, false),
  guarded(tf.FusedDepthwiseConv2D, true),
];
