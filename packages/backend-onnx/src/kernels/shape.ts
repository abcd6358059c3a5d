import { backend_util, type DataType, slice_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { recordN, sizeOf, type Value, valueType } from '../trace/graph';
import { castValue, constant } from './elementwise';
import { fallback } from './fallback';
import { kernel, rawKernel } from './register';
import { slice } from './window';

export function registerShape(): void {
  rawKernel('Reshape', (call) => {
    const x = call.info('x');
    const size = sizeOf(x.shape);
    const shape = util.inferFromImplicitShape(call.attr<number[]>('shape'), size);
    util.assert(
      size === sizeOf(shape),
      () =>
        `The new shape (${shape}) has ${sizeOf(shape)} elements and the old shape (${x.shape}) has ${size} elements. The new shape and old shape must have the same number of elements.`,
    );
    return call.backend.share(x, shape);
  });
  rawKernel('ExpandDims', (call) => {
    const x = call.info('input');
    const dim = call.attr<number>('dim');
    util.assert(
      -(x.shape.length + 1) <= dim,
      () => `Axis must be in the interval [${-(x.shape.length + 1)}, ${x.shape.length}]`,
    );
    const shape = [...x.shape];
    shape.splice(dim < 0 ? shape.length + dim + 1 : dim, 0, 1);
    return call.backend.share(x, shape);
  });
  kernel('Transpose', (call) => {
    const x = call.value('x');
    const perm = call.attr<number[]>('perm');
    return call.record(
      'Transpose',
      [x],
      { perm },
      perm.map((p) => x.shape[p]!),
      x.dtype,
    );
  });
  kernel('Tile', (call) => {
    const x = call.value('x');
    const reps = call.attr<number[]>('reps');
    return call.record(
      'Tile',
      [x],
      { reps },
      x.shape.map((d, i) => d * reps[i]!),
      x.dtype,
    );
  });
  kernel('Concat', (call) => {
    const inputs = call.list();
    const axis = util.parseAxisParam(call.attr<number>('axis'), inputs[0]!.shape)[0]!;
    backend_util.assertParamsConsistent(
      inputs.map((x) => x.shape),
      axis,
    );
    const shape = backend_util.computeOutShape(
      inputs.map((x) => x.shape),
      axis,
    );
    const dtype = inputs[0]!.dtype;
    const parts = inputs.filter((x) => sizeOf(x.shape) > 0).map((x) => call.backend.traced(x));
    if (parts.length === 0)
      return call.record('Expand', [constant(0, [], valueType(dtype)!)], {}, shape, valueType(dtype)!);
    if (parts.length === 1) return call.record('Identity', parts, {}, shape, parts[0]!.dtype);
    if (parts.some((p) => p.dtype !== parts[0]!.dtype)) return undefined;
    return call.record('Concat', parts, { axis }, shape, parts[0]!.dtype);
  });
  kernel('Pack', (call) => {
    const values = call.list().map((info) => call.backend.traced(info));
    const axis = call.attr<number>('axis');
    const shape = [...values[0]!.shape];
    shape.splice(axis, 0, 1);
    for (const v of values)
      util.assertShapesMatch(
        [...v.shape],
        [...values[0]!.shape],
        'All tensors passed to stack must have matching shapes',
      );
    const parts = values.map((v) => v.reshaped(shape));
    if (parts.some((p) => p.dtype !== parts[0]!.dtype)) return undefined;
    const full = [...shape];
    full[axis] = parts.length;
    return call.record('Concat', parts, { axis }, full, parts[0]!.dtype);
  });
  kernel('Unpack', (call) => {
    const x = call.value('value');
    const rank = x.shape.length;
    const axis = (call.attr<number>('axis') + rank) % rank;
    const count = x.shape[axis]!;
    if (count === 0) return undefined;
    const shape = x.shape.filter((_, i) => i !== axis);
    return split(call.name, x, axis, new Array<number>(count).fill(1)).map((part) =>
      call.tensor(part.reshaped(shape)),
    );
  });
  kernel('SplitV', (call) => {
    const x = call.value('x');
    const axis = util.parseAxisParam(call.attr<number>('axis'), [...x.shape])[0]!;
    const sizes = backend_util.prepareSplitSize(
      { shape: [...x.shape] } as never,
      call.attr<number[]>('numOrSizeSplits'),
      axis,
    );
    return split(call.name, x, axis, sizes).map((part) => call.tensor(part));
  });
  kernel('Slice', (call) => {
    const x = call.value('x');
    const [begin, size] = slice_util.parseSliceParams(
      { shape: [...x.shape] } as never,
      call.attr<number[]>('begin'),
      call.attr<number[]>('size'),
    ) as [number[], number[]];
    slice_util.assertParamsValid({ shape: [...x.shape], rank: x.shape.length } as never, begin, size);
    return slice(call, x, begin, size);
  });
  kernel('StridedSlice', (call) => {
    const x = call.value('x');
    const a = <T>(name: string) => call.attr<T>(name);
    const plan = slice_util.sliceInfo(
      [...x.shape],
      a('begin'),
      a('end'),
      a('strides'),
      a('beginMask'),
      a('endMask'),
      a('ellipsisMask'),
      a('newAxisMask'),
      a('shrinkAxisMask'),
    );
    if (plan.isIdentity)
      return x.reshaped(plan.finalShape) === x
        ? call.record('Identity', [x], {}, x.shape, x.dtype)
        : x.reshaped(plan.finalShape);
    if (plan.sliceDim0 || plan.isSimpleSlice) {
      util.assert(x.shape.length >= 1, () => `Input must have rank at least 1, got: ${x.shape.length}`);
      const size = slice_util.computeOutShape(plan.begin!, plan.end!, plan.strides!);
      return slice(call, x, plan.begin!, size).reshaped(plan.finalShape);
    }
    if (sizeOf(plan.finalShape) === 0) return undefined;
    const { begin, end, strides } = plan;
    return call.record(
      'StridedSlice',
      [x],
      { begin: begin!, end: end!, strides: strides! },
      plan.finalShape,
      x.dtype,
    );
  });
  kernel('Reverse', (call) => {
    const x = call.value('x');
    const axes = util.parseAxisParam(call.attr<number[]>('dims'), [...x.shape]);
    return x.shape.length === 0 || axes.length === 0
      ? call.record('Identity', [x], {}, x.shape, x.dtype)
      : call.record('Reverse', [x], { axes }, x.shape, x.dtype);
  });
  kernel('PadV2', (call) => {
    const x = call.value('x');
    const paddings = call.attr<Array<[number, number]>>('paddings');
    const shape = x.shape.map((d, i) => d + paddings[i]![0] + paddings[i]![1]);
    const pads = [...paddings.map((p) => p[0]), ...paddings.map((p) => p[1])];
    const value = call.attr<number>('constantValue');
    if (sizeOf(x.shape) === 0) return undefined;
    // The runtime pads no booleans.
    const via = castValue(x, x.dtype === 'bool' ? 'int32' : x.dtype);
    return castValue(call.record('Pad', [via], { pads, value }, shape, via.dtype), x.dtype);
  });
  kernel('GatherV2', (call) => {
    const [x, indices] = [call.value('x'), castValue(call.value('indices'), 'int32')];
    const axis = util.parseAxisParam(call.attr<number>('axis'), [...x.shape])[0]!;
    const batchDims = call.attr<number>('batchDims') ?? 0;
    checkIndices(indices, x.shape[axis]!);
    if (batchDims !== 0) {
      const { outputShape } = backend_util.segment_util.collectGatherOpShapeInfo(
        { shape: [...x.shape], rank: x.shape.length } as never,
        { shape: [...indices.shape], rank: indices.shape.length } as never,
        axis,
        batchDims,
      );
      if (sizeOf(outputShape) === 0) return undefined;
      return call.record('GatherBatched', [x, indices], { axis, batchDims }, outputShape, x.dtype);
    }
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return call.record('Gather', [x, indices], { axis }, shape, x.dtype);
  });
  kernel('GatherNd', (call) => {
    const [x, indices] = [call.value('params'), castValue(call.value('indices'), 'int32')];
    const depth = indices.shape[indices.shape.length - 1] ?? 0;
    const shape = [...indices.shape.slice(0, -1), ...x.shape.slice(depth)];
    // Also what tfjs rejects: scalars, and tuples longer than the rank.
    if (sizeOf(shape) === 0 || depth === 0 || depth > x.shape.length) return undefined;
    return call.record('GatherNd', [x, indices], {}, shape, x.dtype);
  });
  kernel('ScatterNd', (call) => {
    const [indices, updates] = [castValue(call.value('indices'), 'int32'), call.value('updates')];
    const shape = call.attr<number[]>('shape');
    if (updates.dtype === 'bool' || sizeOf(updates.shape) === 0 || indices.shape.length < 2) return undefined;
    return call.record('ScatterAdd', [indices, updates], {}, shape, updates.dtype);
  });
  kernel('UnsortedSegmentSum', (call) => {
    const [x, ids] = [castValue(call.value('x'), 'float32'), castValue(call.value('segmentIds'), 'int32')];
    const segments = call.attr<number>('numSegments');
    if (ids.shape.length !== 1 || sizeOf(x.shape) === 0) return undefined;
    const rest = x.shape.slice(1);
    const indices = ids.reshaped([ids.shape[0]!, 1]);
    return call.record('SegmentSum', [indices, x], {}, [segments, ...rest], x.dtype);
  });
  kernel('OneHot', (call) => {
    const indices = castValue(call.value('indices'), 'int32');
    const [depth, on, off] = [
      call.attr<number>('depth'),
      call.attr<number>('onValue'),
      call.attr<number>('offValue'),
    ];
    const dtype = valueType(call.attr<DataType>('dtype') ?? 'float32');
    if (!dtype) return undefined;
    return call.record('OneHot', [indices], { depth, on, off }, [...indices.shape, depth], dtype);
  });
  kernel('Diag', (call) => {
    const x = call.value('x');
    if (sizeOf(x.shape) === 0) return undefined;
    const via = castValue(x, x.dtype === 'bool' ? 'int32' : x.dtype);
    const matrix = call.record('Diagonal', [via], {}, [...x.shape, ...x.shape], via.dtype);
    return castValue(matrix, x.dtype);
  });
  for (const [name, value] of [
    ['ZerosLike', 0],
    ['OnesLike', 1],
  ] as const) {
    kernel(name, (call) => constant(value, call.info('x').shape, valueType(call.info('x').dtype)!));
  }
  rawKernel('Fill', (call) => {
    const shape = call.attr<number[]>('shape');
    const value = call.attr<number | string>('value');
    const dtype = call.attr<DataType>('dtype') ?? util.inferDtype(value);
    const type = valueType(dtype);
    if (!type || typeof value === 'string')
      return fallback('Fill', call.backend, {}, { shape, value, dtype }) as TensorInfo;
    return call.tensor(constant(Number(value), shape, type));
  });
}

function split(origin: string, x: Value, axis: number, sizes: number[]) {
  const outputs = sizes.map((size) => ({
    shape: x.shape.map((d, i) => (i === axis ? size : d)),
    dtype: x.dtype,
  }));
  return recordN('Split', origin, [x], { axis, sizes }, outputs);
}

/** tfjs rejects indices outside the axis. Those that a graph computes are checked by ONNX Runtime when it runs. */
function checkIndices({ data }: Value, size: number): void {
  if (!data) return;
  for (const index of data as Int32Array) {
    util.assert(
      index >= 0 && index < size,
      () => `GatherV2: the index value ${index} is not in [0, ${size - 1}]`,
    );
  }
}
