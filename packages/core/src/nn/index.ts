export {
  ELU,
  GELU,
  LeakyReLU,
  QuickGELU,
  ReLU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from './activations';
export { BatchNorm, BatchNorm1d, BatchNorm2d, type BatchNormLayerOptions } from './batch-norm2d';
export {
  Conv1d,
  type Conv1dLayerOptions,
  Conv2d,
  type Conv2dLayerOptions,
  ConvTranspose2d,
  type ConvTranspose2dLayerOptions,
} from './conv';
export { Dropout } from './dropout';
export { Embedding, type EmbeddingOptions } from './embedding';
export { Flatten, Unflatten } from './flatten';
export type { WeightOptions } from './fresh';
export { GroupNorm, type GroupNormLayerOptions } from './group-norm';
export { GRU, type GruOutput } from './gru';
export { InstanceNorm2d, type InstanceNormLayerOptions } from './instance-norm2d';
export { LayerNorm, type LayerNormLayerOptions } from './layer-norm';
export {
  type Buffer,
  buffer,
  type DiskFormat,
  diskFormat,
  isBuffer,
  isParameter,
  type Parameter,
  parameter,
} from './leaf';
export { Linear, type LinearOptions } from './linear';
export { LSTM, type LstmOutput } from './lstm';
export { type ForwardContext, isModule, Layer, Module } from './module';
export { AdaptiveAvgPool2d, AvgPool2d, GlobalAvgPool2d, MaxPool2d } from './pool';
export type { RecurrentContext, RecurrentOptions } from './recurrent';
export { RMSNorm, type RmsNormLayerOptions } from './rms-norm';
export { Sequential } from './sequential';
export { type SpectrallyNormalized, type SpectralNormOptions, spectralNorm } from './spectral-norm';
export { type Summary, type SummaryInput, type SummaryRow, summary } from './summary';
export { PixelShuffle, Upsample } from './upsample';
