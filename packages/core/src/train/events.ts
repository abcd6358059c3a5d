/** `step` in every event is the number of steps done so far: 1 after the first. */
export type TrainEvent<Sample = unknown> =
  | StartEvent
  | StepEvent
  | EpochEvent
  | EvaluationEvent
  | SampleEvent<Sample>
  | CheckpointEvent
  | DoneEvent;

/** First event of every run: where it starts and how far it means to go. */
export interface StartEvent {
  type: 'start';
  /** Steps that are done already: 0, or where the checkpoint was taken. */
  step: number;
  /** Total that the run aims at. */
  steps: number;
  seed: number;
  /** Whether a checkpoint was loaded. */
  resumed: boolean;
}

/** One update. With `lag`, it arrives up to that many steps after the update ran. */
export interface StepEvent {
  type: 'step';
  step: number;
  losses: Record<string, number>;
  /** Time in this step: its batch, its update and the losses that were waited for; not the consumer's time. */
  seconds: number;
  /** Epoch that the batch belongs to, from 0. */
  epoch: number;
}

/** The data has been seen once more. */
export interface EpochEvent {
  type: 'epoch';
  step: number;
  /** The epoch that has ended, from 0. */
  epoch: number;
}

/** What the `evaluate` hook found. */
export interface EvaluationEvent {
  type: 'evaluation';
  step: number;
  metrics: Record<string, number>;
}

/** What the `sample` hook made. The consumer owns `value`. */
export interface SampleEvent<Sample = unknown> {
  type: 'sample';
  step: number;
  value: Sample;
}

/** The state after `step` is safe in the store. */
export interface CheckpointEvent {
  type: 'checkpoint';
  step: number;
  /** Its name in the store: for a directory, the file's. */
  name: string;
}

/** Last event of a run that did not throw. */
export interface DoneEvent {
  type: 'done';
  step: number;
  /** Time in steps, that of the runs before a resume included. */
  seconds: number;
  /** `'steps'`: all of them; `'aborted'`: the signal; `'data'`: the batches ended before. */
  reason: 'steps' | 'aborted' | 'data';
}
