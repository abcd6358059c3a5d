import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { type KernelCall, rawKernel } from './register';

/** Sequences that depend on attributes only: made on the host, constants of whatever is recorded with them. */
export function registerSequences(): void {
  rawKernel('Range', (call) => {
    const [start, stop] = [call.attr<number>('start'), call.attr<number>('stop')];
    const wanted = call.attr<number>('step');
    const step = stop < start && wanted === 1 ? -1 : wanted;
    const none = start === stop || stop > start !== step > 0;
    const count = none ? 0 : Math.abs(Math.ceil((stop - start) / step));
    return sequence(call, start, step, count, call.attr('dtype'));
  });
  rawKernel('LinSpace', (call) => {
    const [start, count] = [call.attr<number>('start'), call.attr<number>('num')];
    const step = (call.attr<number>('stop') - start) / (count - 1);
    return sequence(call, start, step, count, 'float32');
  });
}

/** Every element is the one before plus a step, rounded to the type, as tfjs computes it. */
function sequence(call: KernelCall, start: number, step: number, count: number, dtype: DataType): TensorInfo {
  const data = dtype === 'float32' ? new Float32Array(count) : new Int32Array(count);
  for (let i = 0; i < count; i++) data[i] = i === 0 ? start : data[i - 1]! + step;
  const shape = [count];
  return { dataId: call.backend.write(data, shape, dtype), shape, dtype };
}
