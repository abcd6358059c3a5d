import { backend_util, broadcast_util, util } from '@tensorflow/tfjs-core';
import { CONV_FIELDS } from '../lower/conv2d';
import type { Attrs, Value } from '../trace/graph';
import { castValue } from './elementwise';
import { type KernelCall, kernel } from './register';

export function registerLinear(): void {
  kernel('BatchMatMul', (call) => matmul(call));
  kernel('_FusedMatMul', (call) => epilogue(call, matmul(call)));

  kernel('Conv2D', (call) => conv(call, call.value('x'), call.value('filter')));
  kernel('FusedConv2D', (call) => {
    if (call.attr<string>('dataFormat') === 'NCHW') return undefined;
    const y = conv(call, call.value('x'), call.value('filter'));
    return y && epilogue(call, y);
  });
  kernel('Conv2DBackpropInput', (call) => {
    const [dy, filter] = [call.value('dy'), call.value('filter')];
    const shape = call.attr<number[]>('inputShape');
    const info = convInfo(call, shape, filter.shape);
    // tfjs computes a dy of another size than the geometry gives; leave that to its own kernel.
    if (info?.outShape.join() !== dy.shape.join()) return undefined;
    return info && call.record('Conv2DInputGradient', [dy, filter], info.attrs, shape, 'float32');
  });
  kernel('Conv2DBackpropFilter', (call) => {
    const [x, dy] = [call.value('x'), call.value('dy')];
    const shape = call.attr<number[]>('filterShape');
    const info = convInfo(call, x.shape, shape);
    return info && call.record('Conv2DFilterGradient', [x, dy], info.attrs, shape, 'float32');
  });
}

function matmul(call: KernelCall): Value {
  const [a, b] = [call.value('a'), call.value('b')];
  const [transA, transB] = [
    call.attr<boolean>('transposeA') ?? false,
    call.attr<boolean>('transposeB') ?? false,
  ];
  util.assert(
    a.shape.length >= 2 && b.shape.length >= 2,
    () => `Error in matMul: inputs must have at least rank 2, got ${a.shape.length} and ${b.shape.length}.`,
  );
  const swap = (shape: readonly number[], swapped: boolean) => {
    const [r, c] = shape.slice(-2) as [number, number];
    return swapped ? [c, r] : [r, c];
  };
  const [m, k] = swap(a.shape, transA);
  const [k2, n] = swap(b.shape, transB);
  util.assert(
    k === k2,
    () =>
      `Error in matMul: inner shapes (${k}) and (${k2}) of Tensors with shapes ${a.shape} and ${b.shape} and transposeA=${transA} and transposeB=${transB} must match.`,
  );
  const batch = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...batch, m!, n!];
  const dtype = a.dtype === 'bool' ? 'float32' : a.dtype;
  // Most products of tfjs carry a leading batch of one; as a plain matrix the runtime takes its fastest path.
  const flat = batch.every((d) => d === 1);
  const inputs = flat ? [a.reshaped(a.shape.slice(-2)), b.reshaped(b.shape.slice(-2))] : [a, b];
  const product = call.record(
    'MatMul',
    inputs.map((v) => castValue(v, dtype)),
    { transA, transB },
    flat ? [m!, n!] : shape,
    dtype,
  );
  return product.reshaped(shape);
}

/** Bias and activation of tfjs's fused kernels, as operations of their own. */
export function epilogue(call: KernelCall, y: Value): Value {
  const activation = call.attr<string | null>('activation');
  let result = y;
  if (call.has('bias'))
    result = call.record('Add', [result, call.value('bias')], {}, result.shape, result.dtype);
  const unary = { relu: 'Relu', relu6: 'Relu6', elu: 'Elu', sigmoid: 'Sigmoid' }[activation ?? ''];
  if (unary) return call.record(unary, [result], {}, result.shape, result.dtype);
  if (activation === 'leakyrelu') {
    return call.record(
      'LeakyRelu',
      [result],
      { alpha: call.attr<number>('leakyreluAlpha') },
      result.shape,
      result.dtype,
    );
  }
  if (activation === 'prelu')
    return call.record(
      'Prelu',
      [result, call.value('preluActivationWeights')],
      {},
      result.shape,
      result.dtype,
    );
  return result;
}

function conv(call: KernelCall, x: Value, filter: Value): Value | undefined {
  const info = convInfo(call, x.shape, filter.shape);
  return info && call.record('Conv2D', [x, filter], info.attrs, info.outShape, 'float32');
}

export function convInfo(
  call: KernelCall,
  x: readonly number[],
  filter: readonly number[],
  depthwise = false,
): { attrs: Attrs; outShape: number[] } | undefined {
  if (call.attr<string>('dataFormat') === 'NCHW') return undefined;
  const info = backend_util.computeConv2DInfo(
    x as [number, number, number, number],
    filter as [number, number, number, number],
    call.attr('strides'),
    call.attr('dilations') ?? 1,
    call.attr('pad'),
    call.attr('dimRoundingMode'),
    depthwise,
  );
  // Grouped filters (fewer input channels than the image has) are not a plain product.
  if (!depthwise && filter[2] !== info.inChannels) return undefined;
  const attrs = geometryOf(info, { batch: info.batchSize, channels: info.inChannels });
  return { attrs, outShape: [...info.outShape] };
}

/** How a kernel moves over images, as the attribute of the operations. tfjs's infos of volumes have these fields too. */
export function geometryOf(
  info: backend_util.Conv2DInfo | backend_util.Conv3DInfo,
  { batch, channels }: { batch: number; channels: number },
): Attrs {
  const geometry = {
    batch,
    height: info.inHeight,
    width: info.inWidth,
    channels,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    outChannels: info.outChannels,
    kernelHeight: info.filterHeight,
    kernelWidth: info.filterWidth,
    strideHeight: info.strideHeight,
    strideWidth: info.strideWidth,
    dilationHeight: info.dilationHeight,
    dilationWidth: info.dilationWidth,
    padTop: info.padInfo.top,
    padLeft: info.padInfo.left,
  };
  return { geometry: CONV_FIELDS.map((field) => geometry[field]) };
}
