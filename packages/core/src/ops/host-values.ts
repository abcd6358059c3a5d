import * as tf from '@tensorflow/tfjs-core';

// Backends whose tensors live in host memory: reading there costs a look, not a wait for a device.
const hostBackends: ReadonlySet<string> = new Set(['cpu', 'wasm']);

/** A backend that computes late may still know some values: those that were written and not computed. */
interface Peeking {
  peek?(dataId: object): ArrayLike<number> | null;
}

/**
 * The values of `x` where they can be seen at no cost, otherwise `null`: for checks of input that must not stall a
 * device. The array is the tensor's own and must not be changed.
 */
export function hostValues(x: tf.Tensor): ArrayLike<number> | null {
  if (isHostBackend()) return x.dataSync();
  const backend = tf.backend() as Peeking;
  return backend.peek?.(x.dataId) ?? null;
}

/** Whether the backend's tensors live in host memory: all their values can be seen. */
export function isHostBackend(): boolean {
  return hostBackends.has(tf.getBackend());
}
