import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { OnnxBackend } from '../backend';
import { recordN, sizeOf, type Value } from '../trace/graph';
import { add, mul, sub } from './compose';
import { type KernelCall, rawKernel } from './register';

/** Complex tensors are pairs of real ones: kernels of their parts, and Fourier transforms. */
export function registerComplex(): void {
  const part = (call: KernelCall, which: 'real' | 'imag', name: string): TensorInfo => {
    const info = call.info(name);
    return { ...call.backend.partsOf(info)[which], shape: info.shape };
  };
  const values = (call: KernelCall, name: string) =>
    (['real', 'imag'] as const).map((which) => call.backend.traced(part(call, which, name))) as [
      Value,
      Value,
    ];

  rawKernel('Complex', (call) => call.backend.complexInfo(call.info('real'), call.info('imag')));
  rawKernel('Real', (call) => call.tensor(values(call, 'input')[0]));
  rawKernel('Imag', (call) => call.tensor(values(call, 'input')[1]));
  rawKernel('ComplexAbs', (call) => {
    const [re, im] = values(call, 'x');
    return call.tensor(call.record('Hypot', [re, im], {}, re.shape, 'float32'));
  });
  for (const [name, inverse] of [
    ['FFT', false],
    ['IFFT', true],
  ] as const) {
    rawKernel(name, (call) => {
      const { shape } = call.info('input');
      const n = shape.at(-1) ?? 1;
      const rows = [sizeOf(shape) / Math.max(1, n), n];
      const inputs = values(call, 'input').map((v) => v.reshaped(rows));
      const output = { shape: rows, dtype: 'float32' as const };
      if (sizeOf(shape) === 0) return call.backend.share(call.info('input'));
      const [re, im] = recordN('Fourier', name, inputs, { inverse }, [output, output]) as [Value, Value];
      return joined(call.backend, call.tensor(re.reshaped(shape)), call.tensor(im.reshaped(shape)));
    });
  }
}

/** (a + bi)(c + di) */
export function complexProduct(call: KernelCall, [a, b]: Value[], [c, d]: Value[]): TensorInfo {
  const real = sub(call, mul(call, a!, c!), mul(call, b!, d!));
  const imag = add(call, mul(call, a!, d!), mul(call, b!, c!));
  return joined(call.backend, call.tensor(real), call.tensor(imag));
}

/** A complex tensor of two parts that nobody else holds. */
export function joined(backend: OnnxBackend, real: TensorInfo, imag: TensorInfo): TensorInfo {
  const complex = backend.complexInfo(real, imag);
  backend.disposeData(real.dataId);
  backend.disposeData(imag.dataId);
  return complex;
}
