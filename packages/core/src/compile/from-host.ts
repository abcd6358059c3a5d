import * as tf from '@tensorflow/tfjs-core';

/** What a host input may hold: float32, int32, bool (as 0 and 1). */
export type HostValues = Float32Array | Int32Array | Uint8Array;
export type HostInputDType = 'float32' | 'int32' | 'bool';

/** Room for `n` numbers, whatever they are at first: at a replay that of an input that nobody uses any longer. */
export type Room = (n: number) => Float32Array;
/** Makes the values of a host input, in `room` where there is some. */
export type MakeHostValues = (room?: Room) => HostValues;

/**
 * Makes every host input while it is set. A compiler calls `make` (or reuses values that it made already), returns the
 * tensor, and remembers both, to make the input again at each replay.
 */
export type HostInputRecorder = (
  make: MakeHostValues,
  shape: readonly number[],
  dtype: HostInputDType,
) => tf.Tensor;

// On globalThis, since a compiler of one copy of core (ESM) must hear of the inputs of another (CJS).
const RECORDER = Symbol.for('poiesis.hostInputRecorder');
const holder = globalThis as { [RECORDER]?: HostInputRecorder | null };

/**
 * A tensor whose values the host computes anew at every step: random draws, the learning rate, bias corrections.
 * On an eager backend that is `tf.tensor(make(), shape, dtype)`. A compiler records `make` as an input of the graph,
 * and at each replay of a step calls all its `make`s once, in the order in which they were recorded, without running
 * the step's JavaScript. So what the values depend on is read inside `make`, and whatever has to advance from step to
 * step (a count) advances there.
 *
 * @param make returns a fresh array at every call, or one that it was given by `room`: backends keep it without a copy.
 * @returns a tensor that the caller owns; no gradient flows into it.
 */
export function fromHost<R extends tf.Rank = tf.Rank>(
  make: MakeHostValues,
  shape: tf.ShapeMap[R],
  dtype: HostInputDType,
): tf.Tensor<R> {
  const record = holder[RECORDER];
  return record ? (record(make, shape, dtype) as tf.Tensor<R>) : tf.tensor<R>(make(), shape, dtype);
}

/** Sets the recorder, or removes it with null. Returns the one before, for a compiler to restore. */
export function setHostInputRecorder(recorder: HostInputRecorder | null): HostInputRecorder | null {
  const before = holder[RECORDER] ?? null;
  holder[RECORDER] = recorder;
  return before;
}
