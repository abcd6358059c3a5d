export type { ClipBatch } from './batch';
export { type ClipStep, type ClipStepOptions, clipStep } from './clip-step';
export type { ContrastiveModel } from './contrastive-model';
export { clampLogitScale } from './temperature';
