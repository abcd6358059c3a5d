import * as tf from '@tensorflow/tfjs-core';

export type Inputs = Record<string, tf.Tensor>;
// biome-ignore lint/suspicious/noExplicitAny: attributes have a different type for each kernel; each file states its own
export type Attrs = any;

/** A kernel written with other tfjs ops, for backends that lack it. */
export interface KernelCompletion {
  kernel: string;
  /** Intermediates are disposed by the caller (a tidy). Must not return an input itself. */
  run(inputs: Inputs, attrs: Attrs): tf.Tensor | tf.Tensor[];
}

/** Wraps a composition as the kernel function of `backend`. */
export function composedKernel({ kernel, run }: KernelCompletion, backend: string): tf.KernelConfig {
  return {
    kernelName: kernel,
    backendName: backend,
    // Inside a kernel nothing is recorded for gradients, so the composition costs no tape.
    kernelFunc: ({ inputs, attrs }) => tf.tidy(() => run(tensors(inputs), attrs)),
  };
}

// The engine passes tensors; another kernel that calls this one directly may pass bare infos.
function tensors(inputs: tf.NamedTensorInfoMap): Inputs {
  const result: Inputs = {};
  for (const [name, info] of Object.entries(inputs)) {
    if (info) {
      result[name] = 'rank' in info ? (info as tf.Tensor) : tf.engine().makeTensorFromTensorInfo(info);
    }
  }
  return result;
}
