/** Takes every host choice while it is set: a compiler calls `choose` and remembers it, to choose again at each replay. */
export type HostChoiceRecorder = (choose: () => number) => number;

const RECORDER = Symbol.for('poiesis.hostChoiceRecorder');
const holder = globalThis as { [RECORDER]?: HostChoiceRecorder | null };

/**
 * A decision that the host takes anew at every step and on which the recorded program depends, such as "is this the
 * micro-batch that applies the update?". On an eager backend that is `choose()`. A compiler keeps one trace for each
 * outcome: at a replay it calls `choose` where it stood among the `make`s of `fromHost`, and goes on with the trace
 * of what came out, so `choose` may advance a counter as a `make` may.
 */
export function hostChoice(choose: () => number): number {
  const record = holder[RECORDER];
  return record ? record(choose) : choose();
}

/** Sets the recorder, or removes it with null. Returns the one before, for a compiler to restore. */
export function setHostChoiceRecorder(recorder: HostChoiceRecorder | null): HostChoiceRecorder | null {
  const before = holder[RECORDER] ?? null;
  holder[RECORDER] = recorder;
  return before;
}
