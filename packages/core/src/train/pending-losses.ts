import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, checkArgument } from '../errors';
import { disposeBatch } from './batch-tensors';

/** A step that has run and whose losses may still be on their way from the device. */
export interface PendingStep {
  readonly step: number;
  readonly epoch: number;
  /** Kept until the losses are read: when one is bad, the batch is the first suspect. */
  readonly batch: unknown;
  readonly losses: Readonly<Record<string, tf.Scalar>>;
  readonly values: Promise<Record<string, number>>;
  seconds: number;
  /** Whether its batch was the last one of its epoch. */
  endsEpoch: boolean;
}

/** Steps in the order in which they ran. Reading starts at once and is waited for later, so no step stalls the device. */
export class PendingLosses {
  readonly #queue: PendingStep[] = [];

  get length(): number {
    return this.#queue.length;
  }

  /** The step that ran last, if its losses were not taken yet. */
  get newest(): PendingStep | undefined {
    return this.#queue.at(-1);
  }

  /** Takes ownership of the losses and the batch. */
  push(step: Pick<PendingStep, 'step' | 'epoch' | 'batch' | 'losses' | 'endsEpoch'>): void {
    const values = read(step.losses);
    // It is awaited when the step is taken; until then a failure must not count as unhandled.
    values.catch(() => {});
    this.#queue.push({ ...step, values, seconds: 0 });
  }

  /** Waits for the losses of the oldest step. It stays in the queue until `release()`. */
  async oldest(): Promise<{ pending: PendingStep; losses: Record<string, number> }> {
    const pending = this.#queue[0]!;
    return { pending, losses: await pending.values };
  }

  /** Drops the oldest step with its tensors. */
  release(): void {
    const pending = this.#queue.shift();
    if (pending) free(pending);
  }

  /** Drops everything, once nothing is being read any more. */
  async dispose(): Promise<void> {
    const left = this.#queue.splice(0);
    await Promise.allSettled(left.map(({ values }) => values));
    for (const pending of left) free(pending);
  }
}

/** Checks what a step returned: named scalars. */
export function checkLosses(losses: unknown): asserts losses is Record<string, tf.Scalar> {
  if (losses instanceof Promise) {
    throw new ArgumentError({
      fn: 'train',
      argument: 'step.run',
      expected: 'a record of scalars, not a promise: a step must not wait for values',
      received: losses,
    });
  }
  const named = typeof losses === 'object' && losses !== null && !(losses instanceof tf.Tensor);
  checkArgument(named, 'train', 'step.run', 'a record of named scalars', losses);
  for (const [name, loss] of Object.entries(losses)) {
    const scalar = loss instanceof tf.Tensor && loss.size === 1;
    checkArgument(scalar, 'train', `step.run → ${name}`, 'a scalar tensor', loss);
  }
}

async function read(losses: Readonly<Record<string, tf.Scalar>>): Promise<Record<string, number>> {
  const entries = Object.entries(losses).map(
    async ([name, loss]) => [name, (await loss.data())[0]!] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

function free({ losses, batch }: PendingStep): void {
  for (const loss of Object.values(losses)) loss.dispose();
  disposeBatch(batch);
}
