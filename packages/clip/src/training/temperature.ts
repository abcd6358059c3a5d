import { checkArgument, hostValues, type Parameter } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** The most that it may become: logits are cosines times 100 at most, "to prevent training instability". */
export const MAX_LOGIT_SCALE: number = Math.log(100);

/**
 * Puts the logarithm of the scale back into [0, ln 100], in place, as open_clip does after each update. A frozen one
 * is left alone.
 */
export function clampLogitScale(logitScale: Parameter): void {
  if (!logitScale.trainable) return;
  tf.tidy(() => logitScale.assign(tf.clipByValue(logitScale, 0, MAX_LOGIT_SCALE)));
}

/** Demands a temperature to begin with, where it can be seen. What training makes of it shows as the loss. */
export function checkLogitScale(fn: string, logitScale: Parameter): void {
  const value = hostValues(logitScale)?.[0];
  const isFine = value === undefined || Number.isFinite(value);
  checkArgument(isFine, fn, 'model.logitScale', 'a finite logarithm of the inverse temperature', value);
}
