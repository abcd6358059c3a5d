import { backend_util, util } from '@tensorflow/tfjs-core';
import { recordN, sizeOf, type Value } from '../trace/graph';
import { castValue, constant } from './elementwise';
import { type KernelCall, kernel } from './register';

/** Kernels that look for values or count them: top k, sorted search, histograms. */
export function registerSearch(): void {
  kernel('TopK', (call) => {
    const x = call.value('x');
    const k = call.attr<number>('k');
    if (k === 0 || sizeOf(x.shape) === 0 || x.shape.length === 0) return undefined;
    const via = castValue(x, x.dtype === 'bool' ? 'int32' : x.dtype);
    const shape = [...x.shape.slice(0, -1), k];
    const [values, indices] = recordN('TopK', call.name, [via], { k }, [
      { shape, dtype: via.dtype },
      { shape, dtype: 'int32' },
    ]) as [Value, Value];
    return [call.tensor(castValue(values, x.dtype)), call.tensor(indices)];
  });
  kernel('SearchSorted', (call) => {
    const [sorted, values] = [call.value('sortedSequence'), call.value('values')];
    const pairs = sizeOf(values.shape) * (sorted.shape[1] ?? 0);
    if (sorted.dtype !== values.dtype || sorted.dtype === 'bool' || pairs === 0 || pairs > MOST_PAIRS)
      return undefined;
    const attrs = { side: call.attr<string>('side') };
    return call.record('SearchSorted', [sorted, values], attrs, values.shape, 'int32');
  });
  kernel('Bincount', (call) => histogram(call, false));
  kernel('DenseBincount', (call) => histogram(call, call.attr<boolean>('binaryOutput') ?? false));
}

/** A sorted search compares every pair; beyond this many the binary search of the cpu kernel is faster. */
const MOST_PAIRS = 1 << 20;

/** How often each number below `size` occurs, in all or row by row; weighted, or only whether it does. */
function histogram(call: KernelCall, binary: boolean): Value | undefined {
  const [x, weights] = [castValue(call.value('x'), 'int32'), call.value('weights')];
  const size = call.attr<number>('size');
  const { data } = x;
  util.assert(!data || (data as Int32Array).every((n) => n >= 0), () => 'Input x must be non-negative!');
  if (x.shape.length < 1 || x.shape.length > 2 || weights.dtype === 'bool') return undefined;
  if (sizeOf(x.shape) === 0 || size === 0) return undefined;
  const one = constant(1, [], weights.dtype);
  const weighted = sizeOf(weights.shape) > 0 && !binary;
  const shape = [...x.shape.slice(0, -1), size];
  const inputs = [x, weighted ? weights : one];
  return call.record('Histogram', inputs, { binary }, shape, weights.dtype);
}

/** What scatters write: a default, or a tensor, in some places of which other values stand. */
export function registerUpdates(): void {
  kernel('TensorScatterUpdate', (call) => {
    const [x, indices] = [call.value('tensor'), castValue(call.value('indices'), 'int32')];
    return update(call, x, indices, castValue(call.value('updates'), x.dtype));
  });
  kernel('SparseToDense', (call) => {
    const [indices, values] = [castValue(call.value('sparseIndices'), 'int32'), call.value('sparseValues')];
    const shape = call.attr<number[]>('outputShape');
    const { sliceRank, numUpdates } = backend_util.calculateShapes(
      { shape: [...values.shape] } as never,
      { shape: [...indices.shape], rank: indices.shape.length } as never,
      shape,
    );
    if (sizeOf(shape) === 0 || numUpdates === 0) return undefined;
    const rest = castValue(call.value('defaultValue'), values.dtype);
    const start = call.record('Expand', [rest], {}, shape, values.dtype);
    const single = values.shape.length === 0;
    const updates = single ? call.record('Expand', [values], {}, [numUpdates], values.dtype) : values;
    return update(call, start, indices.reshaped([numUpdates, sliceRank]), updates);
  });
}

function update(call: KernelCall, x: Value, indices: Value, updates: Value): Value | undefined {
  const depth = indices.shape.at(-1) ?? 0;
  if (sizeOf(updates.shape) === 0 || sizeOf(x.shape) === 0 || indices.shape.length < 2 || depth === 0)
    return undefined;
  // tfjs takes updates of any shape that has the right number of elements.
  const shape = [...indices.shape.slice(0, -1), ...x.shape.slice(depth)];
  if (sizeOf(shape) !== sizeOf(updates.shape)) return undefined;
  return call.record('ScatterUpdate', [x, indices, updates.reshaped(shape)], {}, x.shape, x.dtype);
}
