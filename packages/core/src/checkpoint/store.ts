import type { Cursor } from '../data';
import { ArgumentError } from '../errors';
import type { StateDict } from './host-tensor';

/** Everything that a run needs to go on exactly where it was. */
export interface TrainingCheckpoint {
  /** Updates done. */
  step: number;
  /** State dicts by the names in `TrainStep.state`. */
  state: Record<string, StateDict>;
  /** Where the next batch starts. */
  cursor: Cursor;
  /** Seed of the run: the root of its random keys. */
  seed: number;
  /** Whatever else should be kept, as JSON. */
  meta: Record<string, unknown>;
}

/** Where checkpoints live: a directory in Node, memory in tests, anything that can keep its promises elsewhere. */
export interface CheckpointStore {
  /** Saves durably and atomically, and returns the checkpoint's name. Earlier ones are intact until then. */
  save(checkpoint: TrainingCheckpoint): Promise<string>;
  /** The newest intact checkpoint, or `null`. Damaged ones are passed over and reported. */
  latest(): Promise<TrainingCheckpoint | null>;
}

/** Makes the store of a path. */
export type StoreFactory = (path: string) => CheckpointStore;

// On globalThis, because the CommonJS builds of the main entry and of /node hold a copy of this module each.
const FACTORY = Symbol.for('poiesis.checkpoint.storeFactory');
const registry = globalThis as { [FACTORY]?: StoreFactory };

/** Says which store a path means. Importing `@poiesis/core/node` registers the directory store. */
export function registerStoreFactory(factory: StoreFactory): void {
  registry[FACTORY] = factory;
}

/**
 * The store itself, or the one that a path means.
 * @throws ArgumentError for a path where nothing is registered for paths.
 */
export function storeFor(store: string | CheckpointStore): CheckpointStore {
  if (typeof store !== 'string') return store;
  const factory = registry[FACTORY];
  if (factory) return factory(store);
  throw new ArgumentError({
    fn: 'storeFor',
    argument: 'checkpoints',
    expected: "a CheckpointStore, or a path after import '@poiesis/core/node'",
    received: store,
  });
}
