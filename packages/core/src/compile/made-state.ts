import type * as tf from '@tensorflow/tfjs-core';

/** Is told of variables that a step has made, while they hold their first values. */
export type StateRecorder = (variables: readonly tf.Variable[]) => void;

const RECORDER = Symbol.for('poiesis.stateRecorder');
const holder = globalThis as { [RECORDER]?: StateRecorder | null };

/**
 * Says that a step has made variables for itself that it will find again at its next call, such as an optimizer's
 * moments, and that they hold what they begin with: zeros, or what was loaded. A compiler can then give everything its
 * values back and run the step once more, so that this call computes by the same program as all later ones. Without
 * it the call runs uncompiled, which may round differently: a resumed run, whose first call makes the state where the
 * run before had it already, would not give the same bits.
 */
export function madeState(variables: readonly tf.Variable[]): void {
  holder[RECORDER]?.(variables);
}

/** Sets the recorder, or removes it with null. Returns the one before, for a compiler to restore. */
export function setStateRecorder(recorder: StateRecorder | null): StateRecorder | null {
  const before = holder[RECORDER] ?? null;
  holder[RECORDER] = recorder;
  return before;
}
