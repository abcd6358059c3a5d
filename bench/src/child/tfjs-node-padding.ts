import * as tf from '@tensorflow/tfjs-core';

interface ConvAttrs {
  strides: number | [number, number];
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
  inputShape: [number, number, number, number];
  filterShape: [number, number, number, number];
}
type Inputs = Record<'x' | 'dy' | 'filter', tf.Tensor4D>;
type Run = (inputs: Partial<Inputs>, attrs: ConvAttrs) => tf.Tensor4D;

/**
 * tfjs-node has no gradients for convolutions with a padding in numbers. Padding the input first is what its users can
 * do, and what lets it take part in `dcgan-train`.
 */
export function completePadding(): void {
  wrap('Conv2DBackpropInput', ({ dy, filter }, attrs, run) => {
    const { top, left, shape } = padded(attrs.inputShape, filter.shape, attrs);
    const [batch, height, width, channels] = attrs.inputShape;
    const gradient = run({ dy, filter }, { ...attrs, inputShape: shape, pad: 'valid' });
    return tf.slice4d(gradient, [0, top, left, 0], [batch, height, width, channels]);
  });
  wrap('Conv2DBackpropFilter', ({ x, dy }, attrs, run) => {
    const { top, bottom, left, right } = padded(x.shape, attrs.filterShape, attrs);
    const around: [number, number][] = [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ];
    return run({ x: tf.pad(x, around), dy }, { ...attrs, pad: 'valid' });
  });
}

/** Puts `padding` before a kernel of tfjs-node, for the calls that it refuses. */
function wrap(
  kernelName: string,
  padding: (inputs: Inputs, attrs: ConvAttrs, run: Run) => tf.Tensor4D,
): void {
  const backendName = 'tensorflow';
  const { kernelFunc: own } = tf.getKernel(kernelName, backendName);
  tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc(call) {
      const attrs = call.attrs as unknown as ConvAttrs;
      if (typeof attrs.pad === 'string') return own(call);
      // It returns a whole tensor, where others return an info of one.
      const run: Run = (inputs, attrs) =>
        own({ ...call, inputs, attrs: attrs as unknown as tf.NamedAttrMap }) as tf.Tensor4D;
      return tf.tidy(() => padding(call.inputs as unknown as Inputs, attrs, run));
    },
  });
}

/** The input's shape with its padding, and the padding. */
function padded(
  input: [number, number, number, number],
  filter: [number, number, number, number],
  { strides, pad, dimRoundingMode }: ConvAttrs,
) {
  const { padInfo } = tf.backend_util.computeConv2DInfo(input, filter, strides, 1, pad, dimRoundingMode);
  const { top, bottom, left, right } = padInfo;
  const [batch, height, width, channels] = input;
  const shape: typeof input = [batch, height + top + bottom, width + left + right, channels];
  return { top, bottom, left, right, shape };
}
