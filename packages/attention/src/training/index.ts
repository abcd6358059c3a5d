export { averageStates } from './average-states';
export { type SequenceBatch, shiftTarget } from './batch';
export { SequenceBatches, type SequenceBatchesOptions, type SequencePair } from './sequence-batches';
export { type SequenceLossOptions, type SequenceModel, sequenceLoss } from './sequence-loss';
