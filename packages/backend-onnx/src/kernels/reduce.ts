import { util } from '@tensorflow/tfjs-core';
import { sizeOf, type Value, type ValueType } from '../trace/graph';
import { castValue, constant } from './elementwise';
import { type KernelCall, kernel } from './register';

function axesOf(axis: number | number[], shape: readonly number[]): number[] {
  return util.parseAxisParam(axis, [...shape]);
}

function outShape(shape: readonly number[], axes: readonly number[], keepDims: boolean): number[] {
  return keepDims
    ? shape.map((d, i) => (axes.includes(i) ? 1 : d))
    : shape.filter((_, i) => !axes.includes(i));
}

function reduction(
  name: string,
  type: string,
  dtypeOf: (dtype: ValueType) => { via: ValueType; out: ValueType },
): void {
  kernel(name, (call) => {
    const x = call.value('x');
    const axes = axesOf(call.attr<number | number[]>(name === 'Max' ? 'reductionIndices' : 'axis'), x.shape);
    const { via, out } = dtypeOf(x.dtype);
    if (sizeOf(x.shape) === 0) return undefined;
    const shape = outShape(x.shape, axes, call.attr<boolean>('keepDims') ?? false);
    return castValue(call.record(type, [castValue(x, via)], { axes }, shape, via), out);
  });
}

/** What is not a number is never the largest or smallest. */
function withoutNaN(call: KernelCall, x: Value, name: 'ArgMax' | 'ArgMin'): Value {
  const worst = constant(name === 'ArgMax' ? -3.4e38 : 3.4e38, [], 'float32');
  const none = call.record('IsNaN', [x], {}, x.shape, 'bool');
  return call.record('Select', [none, worst, x], {}, x.shape, 'float32');
}

export function registerReductions(): void {
  const same = (dtype: ValueType) => ({ via: dtype === 'bool' ? ('int32' as const) : dtype, out: dtype });
  const summed = (dtype: ValueType) =>
    dtype === 'float32' ? { via: dtype, out: dtype } : { via: 'int32' as const, out: 'int32' as const };
  reduction('Sum', 'Sum', summed);
  reduction('Prod', 'ReduceProd', summed);
  reduction('Mean', 'Mean', () => ({ via: 'float32', out: 'float32' }));
  reduction('Max', 'ReduceMax', same);
  reduction('Min', 'ReduceMin', same);
  reduction('Any', 'ReduceMax', () => ({ via: 'int32', out: 'bool' }));
  reduction('All', 'ReduceMin', () => ({ via: 'int32', out: 'bool' }));

  for (const name of ['ArgMax', 'ArgMin'] as const) {
    kernel(name, (call) => {
      const x = call.value('x');
      const axis = axesOf(call.attr<number>('axis'), x.shape)[0]!;
      if (sizeOf(x.shape) === 0) return undefined;
      const via = x.dtype === 'bool' ? 'int32' : x.dtype;
      const numbers = x.dtype === 'float32' ? withoutNaN(call, x, name) : castValue(x, via);
      return call.record(name, [numbers], { axis }, outShape(x.shape, [axis], false), 'int32');
    });
  }
  kernel('Softmax', (call) => {
    const x = castValue(call.value('logits'), 'float32');
    const axis = (call.attr<number>('dim') + x.shape.length) % x.shape.length;
    return call.record('Softmax', [x], { axis }, x.shape, 'float32');
  });
  kernel('LogSoftmax', (call) => {
    const x = castValue(call.value('logits'), 'float32');
    const axis = (call.attr<number>('axis') + x.shape.length) % x.shape.length;
    return call.record('LogSoftmax', [x], { axis }, x.shape, 'float32');
  });
  for (const [name, op] of [
    ['Cumsum', 'CumSum'],
    ['Cumprod', 'CumProd'],
  ] as const) {
    kernel(name, (call) => {
      const x = call.value('x');
      const axis = axesOf(call.attr<number>('axis'), x.shape)[0]!;
      if (x.dtype === 'bool' || x.shape.length === 0 || sizeOf(x.shape) === 0) return undefined;
      const attrs = {
        axis,
        exclusive: call.attr<boolean>('exclusive') ?? false,
        reverse: call.attr<boolean>('reverse') ?? false,
      };
      return call.record(op, [x], attrs, x.shape, x.dtype);
    });
  }
}
