import type * as tf from '@tensorflow/tfjs-core';
import { type CheckpointStore, storeFor } from '../checkpoint';
import { compile } from '../compile';
import { checkArgument, NumericError } from '../errors';
import { type Key, randomKey } from '../random';
import { disposeBatch } from './batch-tensors';
import { BatchReader, type BatchSource, checkSource } from './batches';
import type { EpochEvent, TrainEvent } from './events';
import { scanBatch, scanState } from './finite';
import { macrotask } from './macrotask';
import { checkLosses, PendingLosses } from './pending-losses';
import { restore, stateOf } from './resume';
import type { TrainStep } from './step';
import { Stopwatch } from './stopwatch';

export interface TrainOptions<Sample = unknown> {
  /** Total number of steps, those before a resume included. */
  steps: number;
  /** Step n, from 0, gets the key `randomKey(seed).fold(n)`. Default 0; on a resume, the checkpoint's. */
  seed?: number;
  /** Where checkpoints go: a store, or a folder (import `@poiesis/core/node` for folders). */
  checkpoints?: string | CheckpointStore;
  /** A checkpoint after every so many steps; one is written at the end in any case. Default: at the end only. */
  checkpointEvery?: number;
  /** Go on from the newest intact checkpoint. Without one, the run starts from the beginning. */
  resume?: boolean;
  /** Measures the model: numbers by name. Runs after every `evaluateEvery` steps and after the last one. */
  evaluate?: (step: number) => Record<string, number> | Promise<Record<string, number>>;
  evaluateEvery?: number;
  /** Makes something to look at. Runs after every `sampleEvery` steps and after the last one. */
  sample?: (step: number) => Sample | Promise<Sample>;
  sampleEvery?: number;
  /** Stops after the current step: a checkpoint where there is a store, then `done` with reason `'aborted'`. */
  signal?: AbortSignal;
  /** How many steps the losses may arrive late, so that reading them does not stall the device. Default 0. */
  lag?: number;
}

/**
 * Trains: takes batches, runs the step on each, and tells what happens as events.
 *
 * The order within a step is: step, epoch, evaluation, sample, checkpoint; what comes after the checkpoint of step n
 * happens again when the run is resumed from it, and nothing else does. A resumed run gives the same bits as one that
 * was never interrupted: weights, buffers, optimizer, random keys and place in the data all come back.
 *
 * Nothing runs between two events that are asked for: a consumer that waits holds the training, and one that breaks
 * out of the loop ends it and frees what is on its way. The batches belong to the loop.
 *
 * @throws NumericError when a loss, or a weight that is about to be saved, is NaN or infinite. It names the step also
 *   where the loss was read late. The checkpoints that are in the store stay as they are.
 */
export function train<Batch, Sample = unknown>(
  step: TrainStep<Batch>,
  batches: BatchSource<Batch>,
  options: TrainOptions<Sample>,
): AsyncGenerator<TrainEvent<Sample>, void, undefined> {
  checkOptions(options);
  checkSource(batches);
  return run(step, batches, options);
}

async function* run<Batch, Sample>(
  step: TrainStep<Batch>,
  source: BatchSource<Batch>,
  options: TrainOptions<Sample>,
): AsyncGenerator<TrainEvent<Sample>, void, undefined> {
  const { steps, lag = 0, signal, evaluate, sample } = options;
  const store = options.checkpoints === undefined ? null : storeFor(options.checkpoints);
  const resumed = options.resume && store ? await restore(step, store, options.seed) : null;
  const seed = resumed?.seed ?? options.seed ?? 0;
  const key = randomKey(seed);
  const clock = new Stopwatch(resumed?.seconds);
  const reader = new BatchReader(source, resumed?.cursor);
  const pending = new PendingLosses();
  const update = updateOf(step);
  let cursor = resumed?.cursor ?? { epoch: 0, index: 0 };
  let epoch = cursor.epoch;
  let done = resumed?.step ?? 0;
  const last = { evaluation: done, sample: done, checkpoint: done };

  /** Waits for the oldest losses, then tells them. */
  async function* deliver(): AsyncGenerator<TrainEvent<Sample>> {
    clock.start();
    const { pending: of, losses } = await pending.oldest();
    clock.stop();
    // The step that ran last is the one that waited; without lag it is the one just read.
    pending.newest!.seconds += clock.lap();
    const bad = Object.entries(losses).find(([, value]) => !Number.isFinite(value));
    if (bad) {
      const found = [...(await scanBatch(of.batch)), ...scanState(await stateOf(step), step.state)];
      throw new NumericError({ step: of.step, tensor: bad[0], value: bad[1], found });
    }
    pending.release();
    yield { type: 'step', step: of.step, losses, seconds: of.seconds, epoch: of.epoch };
    if (of.endsEpoch) yield { type: 'epoch', step: of.step, epoch: of.epoch };
  }

  /** A source of unknown length learns that its epoch was over only when the next one begins, or never does. */
  function endEpoch(): EpochEvent | null {
    if (!pending.newest) return { type: 'epoch', step: done, epoch };
    pending.newest.endsEpoch = true;
    return null;
  }

  /** What is due after the step that ran last. `final`: nothing more will run. */
  async function* boundary(final: boolean): AsyncGenerator<TrainEvent<Sample>> {
    const due = (what: keyof typeof last, every: number | undefined) =>
      last[what] !== done && (final || (every !== undefined && done % every === 0));
    const evaluating = evaluate && due('evaluation', options.evaluateEvery);
    const sampling = sample && due('sample', options.sampleEvery);
    const saving = store && due('checkpoint', options.checkpointEvery);
    if (!(evaluating || sampling || saving)) return;
    while (pending.length > 0) yield* deliver();
    if (evaluating && !signal?.aborted) {
      last.evaluation = done;
      yield { type: 'evaluation', step: done, metrics: await evaluate(done) };
    }
    if (sampling && !signal?.aborted) {
      last.sample = done;
      yield { type: 'sample', step: done, value: await sample(done) };
    }
    if (saving) {
      const state = await stateOf(step);
      // Infinity is a value like any other in a mask or an average; in a weight it is the end.
      const [bad] = scanState(state, step.state).filter(({ kind, nan }) => nan > 0 || kind === 'parameter');
      if (bad) throw new NumericError({ step: done, tensor: bad.name, found: [bad] });
      const name = await store.save({ step: done, state, cursor, seed, meta: { seconds: clock.seconds } });
      last.checkpoint = done;
      yield { type: 'checkpoint', step: done, name };
    }
  }

  try {
    yield { type: 'start', step: done, steps, seed, resumed: resumed !== null };
    let exhausted = false;
    while (done < steps && !signal?.aborted) {
      clock.start();
      const next = await reader.next(signal);
      if (!next) {
        exhausted = !signal?.aborted;
        break;
      }
      const ended = next.epoch > epoch ? endEpoch() : null;
      const losses = update(next.batch, key.fold(done));
      done += 1;
      cursor = next.cursor;
      epoch = cursor.epoch;
      pending.push({
        step: done,
        epoch: next.epoch,
        batch: next.batch,
        losses,
        endsEpoch: epoch > next.epoch,
      });
      await macrotask();
      clock.stop();
      pending.newest!.seconds += clock.lap();
      if (ended) yield ended;
      if (pending.length > lag) yield* deliver();
      yield* boundary(done === steps);
    }
    clock.stop();
    const ended = exhausted && cursor.index > 0 ? endEpoch() : null;
    if (ended) yield ended;
    yield* boundary(true);
    while (pending.length > 0) yield* deliver();
    const reason = done >= steps ? 'steps' : exhausted ? 'data' : 'aborted';
    yield { type: 'done', step: done, seconds: clock.seconds, reason };
  } finally {
    // Settled, not all: a source that fails to close must not hide why the run ended.
    await Promise.allSettled([reader.close(), pending.dispose()]);
  }
}

/** The step as the backend runs it best: recorded once and replayed where it can, else as it is, in a tidy. */
function updateOf<Batch>(step: TrainStep<Batch>): (batch: Batch, key: Key) => Record<string, tf.Scalar> {
  const compiled = compile(
    (batch: Batch, key: Key) => {
      const losses = step.run(batch, key);
      checkLosses(losses);
      return losses;
    },
    { name: 'train step' },
  );
  return (batch, key) => {
    try {
      return compiled(batch, key);
    } catch (error) {
      disposeBatch(batch);
      throw error;
    }
  };
}

function checkOptions(options: TrainOptions): void {
  const { steps, seed, lag, resume, checkpoints } = options;
  const count = (n: number | undefined, least: number) =>
    n === undefined || (Number.isSafeInteger(n) && n >= least);
  checkArgument(steps !== undefined && count(steps, 0), 'train', 'options.steps', 'an integer ≥ 0', steps);
  checkArgument(
    seed === undefined || Number.isSafeInteger(seed),
    'train',
    'options.seed',
    'a safe integer',
    seed,
  );
  checkArgument(count(lag, 0), 'train', 'options.lag', 'an integer ≥ 0', lag);
  checkArgument(
    !resume || checkpoints !== undefined,
    'train',
    'options.checkpoints',
    'a store or a folder to resume from',
    checkpoints,
  );
  for (const name of ['checkpointEvery', 'evaluateEvery', 'sampleEvery'] as const) {
    checkArgument(count(options[name], 1), 'train', `options.${name}`, 'an integer ≥ 1', options[name]);
  }
}
