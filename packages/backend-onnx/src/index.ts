// For plain tfjs programs: `import '@poiesis/backend-onnx'` and `tf.setBackend('onnx')`.
import { createNodeBackend } from './node-backend';
import { onnxProvider } from './provider';
import { registerOnnx } from './register';

registerOnnx(onnxProvider, () => createNodeBackend());

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
export { RunError } from './run-error';
export { AsynchronousReadError } from './runtime/asynchronous-read-error';
export type { SessionOptions } from './runtime/session';
