export {
  bernoulli,
  categorical,
  dropoutMask,
  integers,
  normal,
  truncatedNormal,
  uniform,
} from './draws';
export {
  hostBernoulli,
  hostBits,
  hostCategorical,
  hostDropoutMask,
  hostGumbel,
  hostIntegers,
  hostNormal,
  hostTruncatedNormal,
  hostUniform,
  type IntegersOptions,
  type NormalOptions,
  permutation,
  type TruncatedNormalOptions,
  type UniformOptions,
} from './host';
export { Key, keyFromWords, randomKey, rebind, setKeyReadGuard, traceableKey } from './key';
