import type { BackendOptions, BackendProvider } from '@poiesis/core';
import { backend, engine, registerBackend, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import type { OnnxBackend } from './backend';
import { firstLine } from './first-line';
import { availableThreads, loadFactory } from './runtime/web-runtime';
import { createWebBackend } from './web-backend';

/** ONNX Runtime as a backend of core's registry in browsers: WebAssembly with threads, or WebGPU where asked for. */
export const webProvider: BackendProvider = {
  name: 'onnx',
  priority: 50,

  async available() {
    try {
      // Only the loader: the module itself, 14 MB, is fetched when the backend is activated.
      await loadFactory();
    } catch (error) {
      return {
        ok: false,
        reason: `onnxruntime-web does not load here (${firstLine(error)})`,
        fix: 'npm install onnxruntime-web',
      };
    }
    const threads = availableThreads();
    const why = threads > 1 ? '' : ', since the page is not cross-origin isolated';
    return { ok: true, reason: `onnxruntime-web, ${threads} ${threads === 1 ? 'thread' : 'threads'}${why}` };
  },

  async activate(options: BackendOptions) {
    if (Object.keys(options).length > 0 || !('onnx' in engine().registry)) {
      // Made first: tfjs only logs what a factory throws.
      const made = await createWebBackend(options);
      // (`findBackend` would start one by the factory.)
      if ('onnx' in engine().registryFactory) removeBackend('onnx');
      registerBackend('onnx', () => made, 1);
    }
    await setBackend('onnx');
  },

  device() {
    const { runtime, threads, executionProviders } = backend() as OnnxBackend;
    const [first] = executionProviders;
    if (first !== 'cpu' && first !== 'wasm') return `${first}, ONNX Runtime ${runtime.version}`;
    const count = Math.min(threads ?? Number.POSITIVE_INFINITY, availableThreads());
    return `CPU, ${count} ${count === 1 ? 'thread' : 'threads'}, ONNX Runtime ${runtime.version} in WebAssembly`;
  },
};
