import type { Runtime, RuntimeTensor } from './session';

/**
 * The public API of onnxruntime-web, which runs asynchronously only: for WebGPU, and for WebAssembly of a version whose
 * inner functions are not those that were tested.
 */
export async function loadWebApiRuntime(
  options: { threads?: number; runtimePath?: string },
  executionProviders: readonly string[],
): Promise<Runtime> {
  const { InferenceSession, Tensor, env } = await import('onnxruntime-web/webgpu');
  if (options.threads !== undefined) env.wasm.numThreads = options.threads;
  if (options.runtimePath !== undefined) env.wasm.wasmPaths = options.runtimePath;
  return {
    version: env.versions.web ?? env.versions.common,
    synchronous: false,
    executionProviders,
    tensor: (dtype, data, dims) =>
      new Tensor(dtype, data as Float32Array, [...dims]) as unknown as RuntimeTensor,
    async compile({ bytes, external }, { executionProviders: wanted = ['wasm'] }) {
      const session = await InferenceSession.create(bytes, {
        executionProviders: [...wanted],
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
        ...(external.length > 0 && { externalData: [...external] }),
      });
      return {
        run: (feeds) => session.run(feeds as never) as unknown as Promise<Record<string, RuntimeTensor>>,
        dispose: () => void session.release(),
      };
    },
  };
}
