import type { CheckpointStore, EventReader, TrainEvent } from '@poiesis/core';
import { train, withReaders } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** A run with a reader, over a step whose loss is the number of the step. */
export async function run(
  reader: EventReader,
  options: {
    steps: number;
    checkpoints?: CheckpointStore;
    checkpointEvery?: number;
    resume?: boolean;
    evaluate?: () => Record<string, number>;
    sample?: () => unknown;
    until?: number;
  },
): Promise<TrainEvent[]> {
  const { until, ...rest } = options;
  let n = 0;
  const step = { state: {}, run: () => ({ loss: tf.scalar(n) }) };
  const source = {
    *[Symbol.iterator]() {
      for (let i = 0; i < 4; i++) yield {};
    },
  };
  const events: TrainEvent[] = [];
  for await (const event of withReaders(train(step, source, { seed: 1, ...rest }), [reader])) {
    events.push(event);
    n = event.step;
    if (event.step === until) break;
  }
  return events;
}
