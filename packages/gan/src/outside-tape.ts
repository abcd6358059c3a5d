import * as tf from '@tensorflow/tfjs-core';

/**
 * Runs `fn` as if no gradient were being computed around it. Whatever it takes from outside is a constant to the
 * gradients that it computes itself, and nothing of what it does is recorded for those outside.
 *
 * tfjs has one tape: what a nested gradient does would go onto the outer one, forward and backward pass both, be kept
 * in memory until the outer one is done, and be taken for a part of a second derivative. So the tape is put aside.
 */
export function outsideTape<T>(fn: () => T): T {
  const { state } = tf.engine();
  const { activeTape, gradientDepth } = state;
  state.activeTape = null as unknown as typeof activeTape; // what it is where no gradient is computed
  state.gradientDepth = 0;
  try {
    return fn();
  } finally {
    state.activeTape = activeTape;
    state.gradientDepth = gradientDepth;
  }
}
