import * as tf from '@tensorflow/tfjs-core';
import { registry } from '../registry';
import { correctWasm } from '../wasm';
import { composedKernel } from './completion';
import { kernelCompletions } from './kernels';

/** Gives a backend the kernels that it lacks, by composition of those that it has. Done once per backend. */
export function completeKernels(backend: string): void {
  const { completed } = registry();
  if (completed.has(backend)) return;
  completed.add(backend);
  for (const completion of kernelCompletions) {
    if (!tf.getKernel(completion.kernel, backend)) tf.registerKernel(composedKernel(completion, backend));
  }
  if (backend === 'wasm') correctWasm();
}
