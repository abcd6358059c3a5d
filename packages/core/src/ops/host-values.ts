import * as tf from '@tensorflow/tfjs-core';

// Backends whose tensors live in host memory: reading there costs a look, not a wait for a device.
const hostBackends: ReadonlySet<string> = new Set(['cpu', 'wasm']);

/** The values of `x` where they can be seen at no cost, otherwise `null`. */
export function hostValues(x: tf.Tensor): ArrayLike<number> | null {
  return hostBackends.has(tf.getBackend()) ? x.dataSync() : null;
}
