import type { Cursor } from '../data';
import { ArgumentError, checkArgument } from '../errors';
import { batchTensors, disposeBatch } from './batch-tensors';

/** A batch with its place: `cursor` is where the next one starts. */
export interface PlacedBatch<Batch> {
  batch: Batch;
  epoch: number;
  cursor: Cursor;
}

/** Batches that can start anywhere, epoch after epoch without end: a `DataLoader`. */
export interface SeekableBatches<Batch> {
  batches(options?: { from?: Cursor }): AsyncIterable<PlacedBatch<Batch>>;
}

/**
 * What `train()` reads: a `DataLoader`, or anything that yields batches. An iterable is read again for each epoch; a
 * generator gives one epoch. The loop owns the batches that it has read and disposes each after its step.
 */
export type BatchSource<Batch> = SeekableBatches<Batch> | AsyncIterable<Batch> | Iterable<Batch>;

/** Reads one source from a cursor on, and lets go of it cleanly, also in the middle of a wait. */
export class BatchReader<Batch> {
  readonly #iterator: AsyncIterator<PlacedBatch<Batch>>;
  #waiting: Promise<IteratorResult<PlacedBatch<Batch>>> | null = null;

  constructor(source: BatchSource<Batch>, from: Cursor | undefined) {
    const placed = isSeekable(source) ? source.batches(from ? { from } : {}) : place(source, from);
    this.#iterator = placed[Symbol.asyncIterator]();
  }

  /** The next batch, `null` at the end of the data or as soon as the signal aborts. */
  async next(signal: AbortSignal | undefined): Promise<PlacedBatch<Batch> | null> {
    this.#waiting = this.#iterator.next();
    const result = await unlessAborted(this.#waiting, signal);
    if (result === null) return null;
    this.#waiting = null;
    if (result.done) return null;
    checkUsable(result.value.batch);
    return result.value;
  }

  /** Ends the source. A batch that is still on its way is disposed when it comes; nobody waits for it. */
  async close(): Promise<void> {
    if (this.#waiting) {
      this.#waiting.then((late) => late.done || disposeBatch(late.value.batch)).catch(() => {});
      this.#iterator.return?.().catch(() => {});
    } else {
      await this.#iterator.return?.();
    }
  }
}

function isSeekable<Batch>(source: BatchSource<Batch>): source is SeekableBatches<Batch> {
  return 'batches' in source && typeof source.batches === 'function';
}

/** Numbers the batches of a plain iterable. Restarting it is what its own iterator does for a new epoch. */
async function* place<Batch>(
  source: AsyncIterable<Batch> | Iterable<Batch>,
  from: Cursor = { epoch: 0, index: 0 },
): AsyncGenerator<PlacedBatch<Batch>> {
  for (let epoch = from.epoch; ; epoch++) {
    let index = 0;
    for await (const batch of source) {
      index += 1;
      if (epoch === from.epoch && index <= from.index) disposeBatch(batch);
      else yield { batch, epoch, cursor: { epoch, index } };
    }
    if (index === 0) return;
  }
}

function checkUsable(batch: unknown): void {
  if (batchTensors(batch).some(([, tensor]) => tensor.isDisposed)) {
    throw new ArgumentError({
      fn: 'train',
      argument: 'batches',
      expected: 'batches made anew for each step (the loop disposes them), for example by a DataLoader',
      received: 'a batch that has been disposed already',
    });
  }
}

async function unlessAborted<T>(wait: Promise<T>, signal: AbortSignal | undefined): Promise<T | null> {
  if (!signal) return wait;
  if (signal.aborted) return null;
  let stop = () => {};
  const aborted = new Promise<null>((resolve) => {
    stop = () => resolve(null);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([wait, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Checks what can be checked before the first batch. */
export function checkSource(source: unknown): void {
  const ok =
    typeof source === 'object' &&
    source !== null &&
    ('batches' in source || Symbol.asyncIterator in source || Symbol.iterator in source);
  checkArgument(ok, 'train', 'batches', 'a DataLoader or an iterable of batches', source);
}
