import { backend_util } from '@tensorflow/tfjs-core';
import { WINDOW_FIELDS } from '../lower/axis';
import { sizeOf, type Value } from '../trace/graph';
import { transpose } from './compose';
import { geometryOf } from './linear';
import { type KernelCall, kernel } from './register';

/**
 * A 3-D convolution is a 2-D one over frames whose channels are those of all taps along the depth: `DepthTaps` lays the
 * frames that one output frame sees side by side, its gradient adds them back.
 */
export function registerConv3D(): void {
  kernel('Conv3D', (call) => {
    const [x, filter] = [call.value('x'), call.value('filter')];
    const plan = planOf(call, x.shape, filter.shape, call.attr('dilations') ?? 1);
    if (!plan) return undefined;
    const frames = call.record('DepthTaps', [x], plan.depth, plan.frames, 'float32');
    const flat = flatFilter(call, filter);
    return call
      .record('Conv2D', [frames, flat], plan.plane, plan.planeOut, 'float32')
      .reshaped(plan.outShape);
  });
  kernel('Conv3DBackpropInputV2', (call) => {
    const [dy, filter] = [call.value('dy'), call.value('filter')];
    const shape = call.attr<number[]>('inputShape');
    const plan = planOf(call, shape, filter.shape);
    if (!plan || plan.outShape.join() !== dy.shape.join()) return undefined;
    const inputs = [dy.reshaped(plan.planeOut), flatFilter(call, filter)];
    const frames = call.record('Conv2DInputGradient', inputs, plan.plane, plan.frames, 'float32');
    return call.record('DepthTapsGradient', [frames], plan.depth, shape, 'float32');
  });
  kernel('Conv3DBackpropFilterV2', (call) => {
    const [x, dy] = [call.value('x'), call.value('dy')];
    const shape = call.attr<[number, number, number, number, number]>('filterShape');
    const plan = planOf(call, x.shape, shape);
    if (!plan || plan.outShape.join() !== dy.shape.join()) return undefined;
    const frames = call.record('DepthTaps', [x], plan.depth, plan.frames, 'float32');
    const inputs = [frames, dy.reshaped(plan.planeOut)];
    const [kd, kh, kw, channels, out] = shape;
    const flat = call.record(
      'Conv2DFilterGradient',
      inputs,
      plan.plane,
      [kh, kw, kd * channels, out],
      'float32',
    );
    return transpose(call, flat.reshaped([kh, kw, kd, channels, out]), [2, 0, 1, 3, 4]);
  });
}

/** `[kd, kh, kw, in, out]` → `[kh, kw, kd · in, out]` */
function flatFilter(call: KernelCall, filter: Value): Value {
  const [kd, kh, kw, channels, out] = filter.shape as [number, number, number, number, number];
  return transpose(call, filter, [1, 2, 0, 3, 4]).reshaped([kh, kw, kd * channels, out]);
}

function planOf(call: KernelCall, x: readonly number[], filter: readonly number[], dilations: unknown = 1) {
  const info = backend_util.computeConv3DInfo(
    x as never,
    filter as never,
    call.attr('strides'),
    dilations as number,
    call.attr('pad'),
  );
  if (sizeOf(x) === 0 || sizeOf(info.outShape) === 0 || filter[3] !== info.inChannels) return undefined;
  const batch = info.batchSize * info.outDepth;
  const channels = info.filterDepth * info.inChannels;
  const depth = {
    input: info.inDepth,
    output: info.outDepth,
    kernel: info.filterDepth,
    stride: info.strideDepth,
    dilation: info.dilationDepth,
    before: info.padInfo.front,
  };
  return {
    plane: geometryOf(info, { batch, channels }),
    depth: Object.fromEntries(WINDOW_FIELDS.map((field) => [field, [depth[field]]])),
    frames: [batch, info.inHeight, info.inWidth, channels],
    planeOut: [batch, info.outHeight, info.outWidth, info.outChannels],
    outShape: [...info.outShape],
  };
}
