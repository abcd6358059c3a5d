export {
  constantInit,
  type Fan,
  type Initializer,
  normalInit,
  onesInit,
  truncatedNormalInit,
  uniformInit,
  zerosInit,
} from './initializer';
export { orthogonal } from './orthogonal';
export {
  gainOf,
  type KaimingOptions,
  kaimingNormal,
  kaimingUniform,
  type Nonlinearity,
  xavierNormal,
  xavierUniform,
} from './scaled';
