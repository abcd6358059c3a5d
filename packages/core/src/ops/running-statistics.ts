import * as tf from '@tensorflow/tfjs-core';
import { checkArgument } from '../errors';

/** Averages that a normalization keeps for evaluation. Both or neither. */
export interface RunningStatistics {
  /** `[channels]`. Updated in place in training, so a variable (a `Buffer`). */
  runningMean?: tf.Tensor | null;
  /** `[channels]`, of the unbiased variance. */
  runningVar?: tf.Tensor | null;
}

/** `running += (batch − running) · momentum` for both. Not recorded on the tape when called inside `withGradient`. */
export function updateRunning(
  running: { mean: tf.Variable; variance: tf.Variable },
  batch: { mean: tf.Tensor; unbiased: tf.Tensor },
  momentum: number | tf.Scalar,
): void {
  const keep = typeof momentum === 'number' ? 1 - momentum : tf.sub(1, momentum);
  const follow = (average: tf.Variable, now: tf.Tensor) => {
    average.assign(tf.add(tf.mul(average, keep), tf.mul(tf.reshape(now, average.shape), momentum)));
  };
  tf.tidy(() => {
    follow(running.mean, batch.mean);
    follow(running.variance, batch.unbiased);
  });
}

/** The pair, checked; `null` where none was given. */
export function runningPair(
  fn: string,
  { runningMean, runningVar }: RunningStatistics,
  channels: number,
): { mean: tf.Tensor; variance: tf.Tensor } | null {
  const both = Boolean(runningMean) === Boolean(runningVar);
  checkArgument(both, fn, 'options.runningVar', 'runningMean and runningVar, or neither', runningVar);
  if (!runningMean || !runningVar) return null;
  for (const [name, t] of Object.entries({ runningMean, runningVar })) {
    checkArgument(t.rank === 1 && t.size === channels, fn, `options.${name}`, `[${channels}]`, t.shape);
  }
  return { mean: runningMean, variance: runningVar };
}

/** The pair as variables, which an update needs. */
export function asVariables(fn: string, pair: { mean: tf.Tensor; variance: tf.Tensor }) {
  const { mean, variance } = pair;
  const ok = mean instanceof tf.Variable && variance instanceof tf.Variable;
  checkArgument(ok, fn, 'options.runningMean', 'a variable (training updates it in place)', mean);
  return { mean, variance: variance as tf.Variable };
}
