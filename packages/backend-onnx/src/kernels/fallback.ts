import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import {
  getKernel,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { OnnxBackend } from '../backend';

let cpu: MathBackendCPU | undefined;

/**
 * Runs a kernel on tfjs's cpu implementation: reads the inputs, which runs what is pending, computes, and writes the
 * results back. Counted, so that `explain()` can show what did not reach ONNX Runtime.
 */
export function fallback(
  name: string,
  backend: OnnxBackend,
  inputs: NamedTensorInfoMap,
  attrs: NamedAttrMap,
) {
  const config = getKernel(name, 'cpu');
  if (!config) throw new Error(`Kernel '${name}' not registered for backend 'onnx' nor for 'cpu'`);
  backend.fallbacks.set(name, (backend.fallbacks.get(name) ?? 0) + 1);
  cpu ??= new MathBackendCPU();
  const host = cpu;
  const made: TensorInfo[] = [];
  const toCpu = (info: TensorInfo): TensorInfo => {
    let local: TensorInfo;
    if (info.dtype === 'complex64') {
      const { real, imag } = backend.partsOf(info);
      const parts = {
        real: toCpu({ ...real, shape: info.shape }),
        imag: toCpu({ ...imag, shape: info.shape }),
      };
      local = getKernel('Complex', 'cpu')!.kernelFunc({
        inputs: parts,
        backend: host,
        attrs: {},
      }) as TensorInfo;
    } else {
      backend.reader = name;
      try {
        local = host.makeTensorInfo(info.shape, info.dtype, backend.readSync(info.dataId) as Float32Array);
      } finally {
        backend.reader = undefined;
      }
    }
    made.push(local);
    // Some cpu kernels read `rank`, which tensors have and plain tensor infos have not.
    return Object.assign(local, { rank: local.shape.length });
  };
  const toOnnx = (info: TensorInfo): TensorInfo => {
    if (info.dtype === 'complex64') {
      const parts = host.data.get(info.dataId).complexTensorInfos!;
      const [real, imag] = [
        toOnnx({ ...parts.real, shape: info.shape }),
        toOnnx({ ...parts.imag, shape: info.shape }),
      ];
      const complex = backend.complexInfo(real, imag);
      backend.disposeData(real.dataId);
      backend.disposeData(imag.dataId);
      return complex;
    }
    const values = host.readSync(info.dataId);
    return { dataId: backend.write(values, info.shape, info.dtype), shape: info.shape, dtype: info.dtype };
  };

  // Kernels of a list of tensors (Concat, Einsum) get an array and expect one; ragged ones have arrays among their inputs.
  const convert = (x: unknown): unknown => {
    if (Array.isArray(x)) return x.map(convert);
    return isTensorInfo(x) ? toCpu(x) : x && mapValues(x, convert);
  };
  const local = convert(inputs) as NamedTensorInfoMap;
  const results = config.kernelFunc({ inputs: local, backend: host, attrs });
  const list = Array.isArray(results) ? results : [results];
  const out = list.map(toOnnx);
  for (const info of new Set([...made, ...list])) host.disposeData(info.dataId, true);
  return Array.isArray(results) ? out : out[0]!;
}

function isTensorInfo(x: unknown): x is TensorInfo {
  return typeof x === 'object' && x !== null && 'dataId' in x;
}

function mapValues(x: object, f: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(x).map(([key, value]) => [key, f(value)]));
}
