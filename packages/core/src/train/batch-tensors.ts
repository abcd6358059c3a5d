import * as tf from '@tensorflow/tfjs-core';

/**
 * The tensors of a batch with their paths: `batch`, or `batch.image`, `batch.tokens.0`. tfjs's own walk would enter
 * typed arrays element by element; this one takes records and arrays only.
 */
export function batchTensors(batch: unknown, path = 'batch'): [name: string, tensor: tf.Tensor][] {
  if (batch instanceof tf.Tensor) return [[path, batch]];
  if (typeof batch !== 'object' || batch === null || ArrayBuffer.isView(batch)) return [];
  if (Array.isArray(batch) && typeof batch[0] !== 'object') return [];
  return Object.entries(batch).flatMap(([name, value]) => batchTensors(value, `${path}.${name}`));
}

/** Disposes every tensor of a batch. */
export function disposeBatch(batch: unknown): void {
  for (const [, tensor] of batchTensors(batch)) tensor.dispose();
}
