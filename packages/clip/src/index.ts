export type {
  ClipActivation,
  ClipConfig,
  ImageTowerConfig,
  TextTowerConfig,
  TowerConfig,
} from './config';
export { ClipModel, type ClipOutput, l2Normalize } from './model';
export {
  type ImageTower,
  imagePatches,
  type PatchDropoutOptions,
  patchDropout,
  poolAtToken,
  type TextTower,
  TextTransformer,
  type TowerOptions,
  VisionTransformer,
} from './towers';
