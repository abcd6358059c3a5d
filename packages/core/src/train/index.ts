export type { BatchSource, PlacedBatch, SeekableBatches } from './batches';
export type {
  CheckpointEvent,
  DoneEvent,
  EpochEvent,
  EvaluationEvent,
  SampleEvent,
  StartEvent,
  StepEvent,
  TrainEvent,
} from './events';
export { type EventReader, withReaders } from './readers';
export type { TrainStep } from './step';
export { type LossValue, type SupervisedOptions, type SupervisedStep, supervised } from './supervised';
export { type TrainOptions, train } from './train';
