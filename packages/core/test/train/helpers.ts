import {
  adam,
  DataLoader,
  fromArrays,
  fromHost,
  type Key,
  keyFromWords,
  Linear,
  Module,
  mse,
  randomKey,
  supervised,
  type TrainEvent,
  type TrainStep,
} from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** y = 2a − b, twelve points. */
export function points(batchSize = 4) {
  const x = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * 1.3));
  const y = Float32Array.from({ length: 12 }, (_, i) => 2 * x[2 * i]! - x[2 * i + 1]!);
  const dataset = fromArrays({ x: { data: x, shape: [12, 2] }, y: { data: y, shape: [12, 1] } });
  return new DataLoader(dataset, { batchSize, shuffle: true, seed: 5 });
}

export class Line extends Module {
  readonly head = new Linear(2, 1, { key: randomKey(3) });
}

export interface Points {
  x: tf.Tensor;
  y: tf.Tensor;
}

/** A step with everything that a resume has to bring back: weights, moments, a random key that matters. */
export function line({ accumulate = 1 } = {}) {
  const model = new Line();
  const optimizer = adam({ lr: (count) => 0.05 / (1 + count) });
  const loss = (m: Line, { x, y }: Points, key: Key) => {
    const noise = fromHost(() => Float32Array.of(key.words()[0] / 2 ** 32), [], 'float32');
    return mse(tf.add(m.head.forward(x), tf.mul(noise, 0.1)), y) as tf.Scalar;
  };
  return { model, optimizer, step: supervised<Line, Points>(model, loss, optimizer, { accumulate }) };
}

export async function collect<S>(events: AsyncIterable<TrainEvent<S>>): Promise<TrainEvent<S>[]> {
  const all: TrainEvent<S>[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** What happened, in short: `step 1`, `checkpoint 2`. */
export const told = (events: readonly TrainEvent[]) => events.map(({ type, step }) => `${type} ${step}`);

/** A step without a model, whose loss at run n (from 0) is `value(n)`. */
export function scripted(value: (n: number) => number): TrainStep<unknown> & { keys: Key[] } {
  const keys: Key[] = [];
  return {
    keys,
    state: {},
    run(_batch, key) {
      // A backend that compiles replays this instead of calling `run` again.
      const make = () => Float32Array.of(value(keys.push(keyFromWords(key.words())) - 1));
      return { loss: fromHost<tf.Rank.R0>(make, [], 'float32') };
    },
  };
}

/** Batches without end, each one scalar. */
export function* scalars() {
  for (let i = 0; ; i++) yield { x: tf.scalar(i) };
}
