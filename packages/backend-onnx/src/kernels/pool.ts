import { backend_util, util } from '@tensorflow/tfjs-core';
import { type AxisWindow, isInside, readAt, WINDOW_FIELDS } from '../lower/axis';
import { type Attrs, recordN } from '../trace/graph';
import { castValue } from './elementwise';
import { type KernelCall, kernel } from './register';

/** Pooling of images and volumes: maximum, average, and their gradients. */
export function registerPooling(): void {
  for (const rank of [2, 3] as const) {
    const suffix = rank === 3 ? '3D' : '';
    kernel(`MaxPool${suffix}`, (call) => {
      const x = call.value('x');
      const plan = planOf(call, x.shape, rank);
      if (!plan || x.dtype === 'bool') return undefined;
      return call.record('MaxPool', [x], plan.attrs, plan.outShape, x.dtype);
    });
    kernel(`AvgPool${suffix}`, (call) => {
      const x = castValue(call.value('x'), 'float32');
      const plan = planOf(call, x.shape, rank);
      return plan && call.record('AveragePool', [x], plan.attrs, plan.outShape, 'float32');
    });
    kernel(`MaxPool${suffix}Grad`, (call) => {
      const [dy, x] = [call.value('dy'), castValue(call.value('input'), 'float32')];
      const plan = planOf(call, x.shape, rank);
      return plan && call.record('MaxPoolGradient', [dy, x], plan.attrs, x.shape, 'float32');
    });
    kernel(`AvgPool${suffix}Grad`, (call) => {
      const dy = call.value('dy');
      const { shape } = call.info('input');
      const plan = planOf(call, shape, rank);
      return plan && call.record('AveragePoolGradient', [dy], plan.attrs, shape, 'float32');
    });
  }
  kernel('MaxPoolWithArgmax', (call) => {
    const x = call.value('x');
    util.assert(
      x.shape.length === 4,
      () => `Error in maxPool: input must be rank 4 but got rank ${x.shape.length}.`,
    );
    const plan = planOf(call, x.shape, 2);
    if (!plan || x.dtype !== 'float32') return undefined;
    const attrs = { ...plan.attrs, batch: call.attr<boolean>('includeBatchInIndex') };
    return recordN('MaxPoolWithArgmax', call.name, [x], attrs, [
      { shape: plan.outShape, dtype: 'float32' },
      { shape: plan.outShape, dtype: 'int32' },
    ]).map((value) => call.tensor(value));
  });
}

/** Windows along each spatial axis. Nothing where one of them lies in the padding as a whole. */
function planOf(
  call: KernelCall,
  shape: readonly number[],
  rank: 2 | 3,
): { attrs: Attrs; outShape: number[] } | undefined {
  const a = <T>(name: string) => call.attr<T>(name);
  const common = [a('filterSize'), a('strides'), 1, a('pad'), a('dimRoundingMode')] as const;
  const info =
    rank === 2
      ? backend_util.computePool2DInfo(shape as never, ...(common as unknown as [never, never, never, never]))
      : backend_util.computePool3DInfo(
          shape as never,
          ...(common as unknown as [never, never, never, never, never]),
          a('dataFormat') ?? 'NDHWC',
        );
  if (info.dataFormat !== 'channelsLast') return undefined;
  const windows = windowsOf(info, rank);
  const empty = windows.some((w) => {
    const sees = (o: number) =>
      Array.from({ length: w.kernel }, (_, k) => readAt(w, o, k)).some((p) => isInside(w, p));
    return w.input === 0 || !sees(0) || !sees(w.output - 1);
  });
  if (empty || info.batchSize === 0 || info.inChannels === 0) return undefined;
  return {
    attrs: Object.fromEntries(WINDOW_FIELDS.map((field) => [field, windows.map((w) => w[field])])),
    outShape: [...info.outShape],
  };
}

function windowsOf(info: backend_util.Conv2DInfo | backend_util.Conv3DInfo, rank: 2 | 3): AxisWindow[] {
  const axis = (name: 'Depth' | 'Height' | 'Width', before: number): AxisWindow => {
    const of = (prefix: string) => (info as unknown as Record<string, number>)[`${prefix}${name}`]!;
    return {
      input: of('in'),
      output: of('out'),
      kernel: of('filter'),
      stride: of('stride'),
      dilation: of('dilation'),
      before,
    };
  };
  const pad = info.padInfo as unknown as { front: number; top: number; left: number };
  const plane = [axis('Height', pad.top), axis('Width', pad.left)];
  return rank === 3 ? [axis('Depth', pad.front), ...plane] : plane;
}
