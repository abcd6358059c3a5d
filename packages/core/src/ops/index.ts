export { type ConvTranspose2dOptions, convTranspose2d } from './conv-transpose2d';
export { type Conv1dOptions, conv1d } from './conv1d';
export { type Conv2dOptions, type ConvPadding, conv2d } from './conv2d';
export { embedding, type Ids } from './embedding';
export { flatten, unflatten } from './flatten';
export { type GruResult, gru } from './gru';
export { linear } from './linear';
export { type LstmResult, lstm } from './lstm';
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
export { powerIteration, type SingularVectors, spectralValue } from './spectral-norm';
export { stopGradient } from './stop-gradient';
export { pixelShuffle, type UpsampleOptions, upsample } from './upsample';
