import { castValue } from './elementwise';
import { convInfo, epilogue } from './linear';
import { type KernelCall, kernel } from './register';

/** Depthwise convolutions and their gradients. */
export function registerDepthwise(): void {
  const forward = (call: KernelCall) => {
    const [x, filter] = [castValue(call.value('x'), 'float32'), castValue(call.value('filter'), 'float32')];
    const info = convInfo(call, x.shape, filter.shape, true);
    return info && call.record('DepthwiseConv2D', [x, filter], info.attrs, info.outShape, 'float32');
  };
  kernel('DepthwiseConv2dNative', forward);
  kernel('FusedDepthwiseConv2D', (call) => {
    const y = forward(call);
    return y && epilogue(call, y);
  });
  kernel('DepthwiseConv2dNativeBackpropInput', (call) => {
    const [dy, filter] = [call.value('dy'), call.value('filter')];
    const shape = call.attr<number[]>('inputShape');
    const info = convInfo(call, shape, filter.shape, true);
    if (info?.outShape.join() !== dy.shape.join()) return undefined;
    return call.record('DepthwiseConv2DInputGradient', [dy, filter], info.attrs, shape, 'float32');
  });
  kernel('DepthwiseConv2dNativeBackpropFilter', (call) => {
    const [x, dy] = [call.value('x'), call.value('dy')];
    const shape = call.attr<number[]>('filterShape');
    const info = convInfo(call, x.shape, shape, true);
    if (info?.outShape.join() !== dy.shape.join()) return undefined;
    return call.record('DepthwiseConv2DFilterGradient', [x, dy], info.attrs, shape, 'float32');
  });
}
