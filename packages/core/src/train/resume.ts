import type { CheckpointStore } from '../checkpoint';
import type { Cursor } from '../data';
import { ArgumentError, checkArgument } from '../errors';
import type { SavedState } from './finite';
import type { TrainStep } from './step';

/** Where a run goes on. */
export interface ResumePoint {
  step: number;
  seed: number;
  cursor: Cursor;
  /** Time in steps so far. */
  seconds: number;
}

/** Copies the whole state of a step to the host. */
export async function stateOf(step: TrainStep<never>): Promise<SavedState> {
  const saved: SavedState = {};
  for (const [name, stateful] of Object.entries(step.state)) saved[name] = await stateful.stateDict();
  return saved;
}

/**
 * Loads the newest intact checkpoint into the step.
 * @returns `null` where there is none.
 * @throws ArgumentError where the checkpoint is of another run: other parts, or another seed.
 */
export async function restore(
  step: TrainStep<never>,
  store: CheckpointStore,
  seed: number | undefined,
): Promise<ResumePoint | null> {
  const checkpoint = await store.latest();
  if (!checkpoint) return null;
  checkArgument(
    seed === undefined || seed === checkpoint.seed,
    'train',
    'options.seed',
    `${checkpoint.seed}, the seed of the checkpoint that is resumed (or none)`,
    seed,
  );
  const parts = Object.keys(step.state);
  const saved = Object.keys(checkpoint.state);
  if (parts.toSorted().join() !== saved.toSorted().join()) {
    throw new ArgumentError({
      fn: 'train',
      argument: 'step.state',
      expected: `the parts that the checkpoint holds: ${saved.join(', ')}`,
      received: parts,
    });
  }
  for (const [name, stateful] of Object.entries(step.state)) stateful.loadStateDict(checkpoint.state[name]!);
  const seconds = Number(checkpoint.meta.seconds);
  return {
    step: checkpoint.step,
    seed: checkpoint.seed,
    cursor: checkpoint.cursor,
    seconds: Number.isFinite(seconds) ? seconds : 0,
  };
}
