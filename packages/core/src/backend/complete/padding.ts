import * as tf from '@tensorflow/tfjs-core';

// Where padding is a number, tfjs takes the output's width from the filter's height and the vertical stride. With a
// filter or stride that is not square the result has the wrong shape, and XNNPACK, which knows better, writes beyond the
// tensor. So kernels get the padding of each side instead.

type Pad = 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;

/** A number as the padding of each side of an NHWC image. */
export function explicitPad(pad: Pad): Exclude<Pad, number> {
  return typeof pad === 'number' ? sides([pad, pad], [pad, pad]) : pad;
}

function sides(h: [number, number], w: [number, number]): tf.backend_util.ExplicitPadding {
  return [[0, 0], h, w, [0, 0]];
}

const kernels: readonly string[] = [
  tf.AvgPool,
  tf.AvgPoolGrad,
  tf.Conv2D,
  tf.Conv2DBackpropFilter,
  tf.Conv2DBackpropInput,
  tf.DepthwiseConv2dNative,
  tf.DepthwiseConv2dNativeBackpropFilter,
  tf.DepthwiseConv2dNativeBackpropInput,
  tf.FusedConv2D,
  tf.FusedDepthwiseConv2D,
  tf.MaxPool,
  tf.MaxPoolGrad,
  tf.MaxPoolWithArgmax,
];

/** Has a backend's convolutions and poolings take padding by sides, whatever way it was given. */
export function correctPadding(backend: string): void {
  for (const name of kernels) {
    const config = tf.getKernel(name, backend);
    if (!config) continue;
    const { kernelFunc } = config;
    tf.unregisterKernel(name, backend);
    tf.registerKernel({
      ...config,
      kernelFunc: (args) => {
        const attrs = args.attrs as tf.NamedAttrMap & { pad: Pad };
        if (typeof attrs.pad !== 'number' || attrs.dataFormat === 'NCHW') return kernelFunc(args);
        return kernelFunc({ ...args, attrs: { ...attrs, pad: explicitPad(attrs.pad) } as tf.NamedAttrMap });
      },
    });
  }
}
