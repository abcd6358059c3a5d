import { availableParallelism } from 'node:os';
import type { BackendOptions, BackendProvider } from '@poiesis/core';
import { backend, findBackend, registerBackend, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import { OnnxBackend, type OnnxBackendOptions } from './backend';
import { loadNodeRuntime } from './runtime/node-runtime';

declare module '@poiesis/core' {
  interface BackendOptions extends OnnxBackendOptions {}
}

/** ONNX Runtime as a backend of core's registry: native CPU code from npm alone. */
export const onnxProvider: BackendProvider = {
  name: 'onnx',
  priority: 50,

  async available() {
    try {
      const { version, synchronous } = loadNodeRuntime();
      return {
        ok: true,
        reason: `onnxruntime-node ${version}${synchronous ? '' : ', asynchronous reads only'}`,
      };
    } catch (error) {
      const reason = error instanceof Error ? error.message.split('\n')[0]! : String(error);
      return {
        ok: false,
        reason: `onnxruntime-node does not load here (${reason})`,
        fix: 'npm install onnxruntime-node',
      };
    }
  },

  async activate(options: BackendOptions) {
    if (Object.keys(options).length > 0) {
      if (findBackend('onnx')) removeBackend('onnx');
      registerBackend('onnx', () => new OnnxBackend(loadNodeRuntime(), options), 1);
    }
    await setBackend('onnx');
  },

  device() {
    const { runtime, threads } = backend() as OnnxBackend;
    return `CPU, ${threads ?? availableParallelism()} threads, ONNX Runtime ${runtime.version}`;
  },
};
