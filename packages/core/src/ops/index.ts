export {
  elu,
  exp,
  leakyRelu,
  logSigmoid,
  relu,
  type SoftplusOptions,
  sigmoid,
  softplus,
  tanh,
} from './activations';
export type { AffineOptions } from './affine';
export { type BatchNormOptions, batchNorm } from './batch-norm';
export { type ConvTranspose2dOptions, convTranspose2d } from './conv-transpose2d';
export { type Conv1dOptions, conv1d } from './conv1d';
export { type Conv2dOptions, type ConvPadding, conv2d } from './conv2d';
export { type DropoutOptions, dropout } from './dropout';
export { embedding, type Ids } from './embedding';
export { flatten, unflatten } from './flatten';
export { gelu, quickGelu, silu } from './gelu';
export { type GroupNormOptions, groupNorm } from './group-norm';
export { type GruResult, gru } from './gru';
export { hostValues } from './host-values';
export { type InstanceNormOptions, instanceNorm } from './instance-norm';
export { type LayerNormOptions, layerNorm } from './layer-norm';
export { linear } from './linear';
export {
  type BceOptions,
  bceWithLogits,
  type ClassLossOptions,
  type CrossEntropyOptions,
  crossEntropy,
  type HingeOptions,
  hinge,
  hingeEmbedding,
  huber,
  type KlDivergenceOptions,
  klDivergence,
  l1,
  mse,
  nll,
  type Reduction,
  type ReductionOptions,
  smoothL1,
} from './losses';
export { type LstmResult, lstm } from './lstm';
export { oneHot } from './one-hot';
export type { Pair } from './pair';
export {
  type AvgPool2dOptions,
  adaptiveAvgPool2d,
  avgPool2d,
  globalAvgPool2d,
  type MaxPool2dOptions,
  maxPool2d,
  type PoolOptions,
} from './pool';
export type { RecurrentWeights } from './recurrent';
export { type RmsNormOptions, rmsNorm } from './rms-norm';
export type { RunningStatistics } from './running-statistics';
export { logSoftmax, logSumExp, softmax } from './softmax';
export { powerIteration, type SingularVectors, spectralValue } from './spectral-norm';
export { stopGradient } from './stop-gradient';
export { updateRows } from './update-rows';
export { pixelShuffle, type UpsampleOptions, upsample } from './upsample';
