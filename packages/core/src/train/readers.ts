import type { TrainEvent } from './events';

/** Something that follows a run: a progress bar, a log, a chart on a page. */
export interface EventReader<Sample = unknown> {
  /** Takes one event. The run waits for a promise. A sample's value is the consumer's: copy what is kept. */
  read(event: TrainEvent<Sample>): void | Promise<void>;
  /** The run is over: done, failed, or left by its consumer. */
  close?(): void | Promise<void>;
}

/**
 * The same events, after each reader has read them:
 *
 * ```ts
 * for await (const event of withReaders(train(step, batches, options), [progressBar(), jsonlLog('run.jsonl')])) …
 * ```
 *
 * The readers are closed when the run ends, however it ends. A reader that throws ends the run.
 */
export async function* withReaders<Sample>(
  events: AsyncIterable<TrainEvent<Sample>>,
  readers: readonly EventReader<Sample>[],
): AsyncGenerator<TrainEvent<Sample>, void, undefined> {
  try {
    for await (const event of events) {
      for (const reader of readers) await reader.read(event);
      yield event;
    }
  } finally {
    await Promise.allSettled(readers.map(async (reader) => reader.close?.()));
  }
}
