import {
  type HostValues,
  type MakeHostValues,
  type Room,
  setHostChoiceRecorder,
  setHostInputRecorder,
  setKeyReadGuard,
} from '@poiesis/core';
import { type Tensor, tensor } from '@tensorflow/tfjs-core';

/** What a step asked of the host while it was recorded, in order. */
export type HostEvent =
  | { kind: 'input'; make: MakeHostValues }
  | { kind: 'choice'; choose: () => number; outcome: number };

/** Answers that were given already, when a replay met a choice that no recording covers. */
export type Answers = Array<HostValues | number>;

/**
 * Runs `body` while every host input and choice is recorded; the first ones are answered from `answers`.
 * `given` are the answers that the body has got. `readsKey` says whether the body turned a key into numbers outside of a host input, which no replay would do again.
 */
export function recordHostEvents<T>(
  answers: Answers,
  onInput: (tensor: Tensor, event: number) => void,
  body: () => T,
) {
  const events: HostEvent[] = [];
  const given: Answers = [];
  let asking = false;
  let readsKey = false;
  const ask = <V extends HostValues | number>(make: () => V): V => {
    asking = true;
    try {
      return make();
    } finally {
      asking = false;
    }
  };
  const next = <V extends HostValues | number>(make: () => V): V => {
    const answer = given.length < answers.length ? (answers[given.length] as V) : ask(make);
    given.push(answer);
    return answer;
  };
  setKeyReadGuard(() => {
    readsKey ||= !asking;
  });
  const input = setHostInputRecorder((make, shape, dtype) => {
    const made = tensor(
      next(() => make()),
      [...shape],
      dtype,
    );
    onInput(made, events.length);
    events.push({ kind: 'input', make });
    return made;
  });
  const choice = setHostChoiceRecorder((choose) => {
    const outcome = next(choose);
    events.push({ kind: 'choice', choose, outcome });
    return outcome;
  });
  try {
    const result = body();
    return { result, events, given, readsKey };
  } finally {
    setKeyReadGuard(null);
    setHostInputRecorder(input);
    setHostChoiceRecorder(choice);
  }
}

/**
 * Asks the host again, along the recordings that agree with the choices so far.
 * `found` is the recording that fits to the end, if one does; `answers` is what was asked, in arrays of `room`.
 */
export function askHost<R extends { events: readonly HostEvent[] }>(
  recordings: readonly R[],
  room: Room,
): { found?: R; answers: Answers } {
  const answers: Answers = [];
  let fitting = recordings;
  for (;;) {
    const [first] = fitting;
    if (!first) return { answers };
    const event = first.events[answers.length];
    if (!event) return { found: first, answers };
    if (event.kind === 'input') answers.push(event.make(room));
    else {
      const outcome = event.choose();
      const at = answers.length;
      answers.push(outcome);
      fitting = fitting.filter(({ events }) => (events[at] as { outcome: number }).outcome === outcome);
    }
  }
}
