import { availableParallelism } from 'node:os';
import { ArgumentError, type BackendOptions, type BackendProvider } from '@poiesis/core';
import { backend, engine, registerBackend, relu, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import type { OnnxBackend } from './backend';
import { firstLine } from './first-line';
import { createNodeBackend } from './node-backend';
import type { OnnxBackendOptions } from './options';
import { loadNodeRuntime } from './runtime/node-runtime';

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
      return {
        ok: false,
        reason: `onnxruntime-node does not load here (${firstLine(error)})`,
        fix: 'npm install onnxruntime-node',
      };
    }
  },

  async activate(options: BackendOptions) {
    if (Object.keys(options).length > 0) {
      // Made first: tfjs only logs what a factory throws.
      const made = createNodeBackend(options);
      if ('onnx' in engine().registryFactory) removeBackend('onnx');
      registerBackend('onnx', () => made, 1);
    }
    await setBackend('onnx');
    await checkProviders(options);
  },

  device() {
    const { runtime, threads, executionProviders } = backend() as OnnxBackend;
    const [first] = executionProviders;
    if (first !== 'cpu') return `${first}, ONNX Runtime ${runtime.version}`;
    return `CPU, ${threads ?? availableParallelism()} threads, ONNX Runtime ${runtime.version}`;
  },
};

/** A runtime lists what it was built with; whether the machine has it, too, shows when a program runs. */
async function checkProviders({ executionProviders = ['cpu'] }: OnnxBackendOptions): Promise<void> {
  if (executionProviders.every((name) => name === 'cpu')) return;
  const y = relu([-1, 1]);
  try {
    await y.data();
    y.dispose();
  } catch (error) {
    y.dispose();
    // What `useBackend('onnx')` finds next must work.
    removeBackend('onnx');
    registerBackend('onnx', () => createNodeBackend(), 1);
    throw new ArgumentError({
      fn: 'useBackend',
      argument: 'options.executionProviders',
      expected: `providers that start on this machine (${firstLine(error).slice(-200)})`,
      received: executionProviders,
    });
  }
}
