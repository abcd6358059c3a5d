import '@tensorflow/tfjs-backend-cpu';
import { registerBackend, registerCompiler } from '@poiesis/core';
import { backend, registerBackend as registerTfjsBackend } from '@tensorflow/tfjs-core';
import type { OnnxBackend } from './backend';
import { stepCompiler } from './compile/step-compiler';
import { registerKernels } from './kernels';
import { createNodeBackend } from './node-backend';
import { onnxProvider } from './provider';

// For plain tfjs programs: `import '@poiesis/backend-onnx'` and `tf.setBackend('onnx')`.
registerTfjsBackend('onnx', () => createNodeBackend(), 1);
registerKernels();
registerCompiler(
  'onnx',
  stepCompiler(() => backend() as OnnxBackend),
);
registerBackend(onnxProvider);

export { OnnxBackend } from './backend';
export { CompileError } from './compile/compile-error';
export { type ExplainOptions, explain } from './explain/explain';
export type { Explanation, FallbackCount } from './explain/explanation';
export type { Flops } from './explain/flops';
export type { OperatorTime, ProfileTimes } from './explain/profile';
export type { ProgramReport, Traffic } from './explain/program-report';
export type { WatchedProgram } from './explain/program-watch';
export type { OnnxBackendOptions } from './options';
export type { PassReport } from './passes/track';
export type { SessionOptions } from './runtime/session';
