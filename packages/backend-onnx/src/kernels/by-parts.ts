import type { NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import type { Value } from '../trace/graph';
import { complexProduct, joined } from './complex';
import { KernelCall, type RecordingKernel } from './register';

/** Kernels that do the same to the real and to the imaginary part, and to each by itself. */
const BY_PARTS = new Set([
  'Add',
  'Concat',
  'GatherV2',
  'Neg',
  'Pack',
  'PadV2',
  'Reverse',
  'Slice',
  'SplitV',
  'StridedSlice',
  'Sub',
  'Sum',
  'Tile',
  'Transpose',
  'Unpack',
  'ZerosLike',
]);

/** Runs a kernel on inputs that are not all real, where it has a form for them. */
export function onComplex(call: KernelCall, run: RecordingKernel): TensorInfo | TensorInfo[] | undefined {
  const { backend, name } = call;
  const complex = call.list().filter((info) => info?.dtype === 'complex64').length;
  if (complex === 0) return undefined;
  const parts = (['real', 'imag'] as const).map((which) => {
    const inputs = Object.entries(call.inputs as Record<string, TensorInfo | undefined>).map(
      ([key, info]) => {
        if (info?.dtype !== 'complex64') return [key, info];
        return [key, { ...backend.partsOf(info)[which], shape: info.shape }];
      },
    );
    const own = Object.fromEntries(inputs) as NamedTensorInfoMap;
    return new KernelCall(name, backend, own, call.attributes);
  }) as [KernelCall, KernelCall];
  if (name === 'Multiply' && complex === 2) {
    const operand = (key: string) => parts.map((p) => p.value(key));
    return complexProduct(call, operand('a'), operand('b'));
  }
  // Mixed operands, and borders that are not zero, are left to tfjs.
  const indexed = name === 'GatherV2';
  if (!BY_PARTS.has(name) || (!indexed && complex !== call.list().length)) return undefined;
  if (name === 'PadV2' && call.attr<number>('constantValue') !== 0) return undefined;

  const asList = (result: Value | TensorInfo | TensorInfo[]): TensorInfo[] =>
    Array.isArray(result) ? result : ['dataId' in result ? result : backend.tensorInfo(result)];
  const [real, imag] = parts.map(run);
  if (real === undefined || imag === undefined) return undefined;
  const [left, right] = [asList(real), asList(imag)];
  const results = left.map((info, i) => joined(backend, info, right[i]!));
  return Array.isArray(real) ? results : results[0]!;
}
