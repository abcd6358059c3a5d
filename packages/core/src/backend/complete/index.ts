import * as tf from '@tensorflow/tfjs-core';
import { correctCpu } from '../cpu';
import { registry } from '../registry';
import { correctWasm } from '../wasm';
import { composedKernel } from './completion';
import { kernelCompletions } from './kernels';
import { correctPadding } from './padding';

/** What a backend got from core. */
export interface KernelReport {
  /** Kernels that it lacked. */
  added: string[];
  /** Kernels of its own that were wrong or slow and have been replaced. */
  corrected: string[];
}

const corrections: Record<string, () => string[]> = { cpu: correctCpu, wasm: correctWasm };

/**
 * Gives a backend the kernels that it lacks, by composition of those that it has, and replaces those that are known
 * to be wrong or slow. Done once per backend; `useBackend` does it.
 */
export function completeKernels(backend: string): KernelReport {
  const { completed } = registry();
  const before = completed.get(backend);
  if (before) return before;
  const report: KernelReport = { added: [], corrected: [] };
  completed.set(backend, report);
  for (const completion of kernelCompletions) {
    if (tf.getKernel(completion.kernel, backend)) continue;
    tf.registerKernel(composedKernel(completion, backend));
    report.added.push(completion.kernel);
  }
  report.corrected = (corrections[backend]?.() ?? []).filter((kernel) => !report.added.includes(kernel));
  correctPadding(backend);
  return report;
}
