import { backend_util } from '@tensorflow/tfjs-core';
import { type AxisWindow, WINDOW_FIELDS } from '../lower/axis';
import { sizeOf } from '../trace/graph';
import { type KernelCall, kernel } from './register';

/** Grayscale dilation and its gradients. */
export function registerMorphology(): void {
  const inputs = (call: KernelCall) => [call.value('x'), call.value('filter')] as const;
  kernel('Dilation2D', (call) => {
    const [x, filter] = inputs(call);
    const plan = planOf(call, x.shape, filter.shape);
    if (!plan || x.dtype !== 'float32') return undefined;
    return call.record('Dilation2D', [x, filter], plan.attrs, plan.outShape, 'float32');
  });
  for (const of of ['Input', 'Filter'] as const) {
    kernel(`Dilation2DBackprop${of}`, (call) => {
      const [x, filter] = inputs(call);
      const plan = planOf(call, x.shape, filter.shape);
      if (!plan || x.dtype !== 'float32') return undefined;
      const { shape } = of === 'Input' ? x : filter;
      return call.record(
        `Dilation2D${of}Gradient`,
        [x, filter, call.value('dy')],
        plan.attrs,
        shape,
        'float32',
      );
    });
  }
}

function planOf(call: KernelCall, x: readonly number[], filter: readonly number[]) {
  const info = backend_util.computeDilation2DInfo(
    x as never,
    filter as never,
    call.attr('strides'),
    call.attr('pad'),
    'NHWC',
    call.attr('dilations'),
  );
  if (sizeOf(x) === 0 || sizeOf(info.outShape) === 0) return undefined;
  const windows: AxisWindow[] = [
    {
      input: info.inHeight,
      output: info.outHeight,
      kernel: info.filterHeight,
      stride: info.strideHeight,
      dilation: info.dilationHeight,
      before: info.padInfo.top,
    },
    {
      input: info.inWidth,
      output: info.outWidth,
      kernel: info.filterWidth,
      stride: info.strideWidth,
      dilation: info.dilationWidth,
      before: info.padInfo.left,
    },
  ];
  return {
    attrs: Object.fromEntries(WINDOW_FIELDS.map((field) => [field, windows.map((w) => w[field])])),
    outShape: [...info.outShape],
  };
}
