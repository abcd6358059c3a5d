import '@tensorflow/tfjs-backend-cpu';
import { type BackendProvider, registerBackend, registerCompiler } from '@poiesis/core';
import { backend, registerBackend as registerTfjsBackend } from '@tensorflow/tfjs-core';
import type { OnnxBackend } from './backend';
import { stepCompiler } from './compile/step-compiler';
import { registerReductionGradients } from './gradients';
import { registerKernels } from './kernels';

/** Makes the backend known to tfjs (`tf.setBackend('onnx')`) and to core (`useBackend()`, `compile`). */
export function registerOnnx(
  provider: BackendProvider,
  create: () => OnnxBackend | Promise<OnnxBackend>,
): void {
  registerTfjsBackend('onnx', create, 1);
  registerKernels();
  registerReductionGradients();
  registerCompiler(
    'onnx',
    stepCompiler(() => backend() as OnnxBackend),
  );
  registerBackend(provider);
}
