export { accumulate } from './accumulate';
export { type AdamHyper, type AdamOptions, adam, adamW } from './adam';
export { type ClipOptions, clipByGlobalNorm, clipByValue, globalNorm } from './clip';
export { Ema, type EmaOptions, ema } from './ema';
export { type LionHyper, type LionOptions, lion } from './lion';
export { type MuonHyper, type MuonOptions, muon } from './muon';
export type { CommonOptions, Optimizer, ParameterGroup } from './optimizer';
export { type Part, partition } from './partition';
export {
  type CosineOptions,
  constant,
  cosine,
  inverseSqrt,
  linearWarmup,
  noam,
  type OneCycleOptions,
  oneCycle,
  type Schedule,
  sequence,
  stepDecay,
} from './schedules';
export { type SgdHyper, type SgdOptions, sgd } from './sgd';
export { type LossResult, valueAndGrad } from './value-and-grad';
