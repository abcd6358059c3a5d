export { type BceOptions, bceWithLogits, type HingeOptions, hinge, hingeEmbedding } from './binary';
export type { ClassLossOptions } from './class-targets';
export { type CrossEntropyOptions, crossEntropy } from './cross-entropy';
export { type KlDivergenceOptions, klDivergence } from './kl-divergence';
export { nll } from './nll';
export type { Reduction, ReductionOptions } from './reduce';
export { huber, l1, mse, smoothL1 } from './regression';
