import type { Scalar } from '@tensorflow/tfjs-core';
import type { Stateful } from '../checkpoint';
import type { Key } from '../random';

/**
 * Everything that a new model brings to training, and everything that a resume needs.
 *
 * `train()` calls `run` inside a tidy, keeps the losses that it returns until they are read, and disposes the batch.
 * Backends that compile record `run` and then repeat what it did without calling it (see `compile`), so whatever varies
 * from step to step comes from the batch, the key, the state, or `fromHost`.
 */
export interface TrainStep<Batch> {
  /** Modules, optimizers, averages: saved and restored under these names. */
  readonly state: Readonly<Record<string, Stateful>>;
  /**
   * One update, without waiting for any value.
   * @param key Randomness of this step alone; the same key and state give the same update.
   * @returns The named losses, scalars.
   */
  run(batch: Batch, key: Key): Record<string, Scalar>;
}
