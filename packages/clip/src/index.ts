export {
  type ClipActivation,
  type ClipConfig,
  clipConfigs,
  type ImageTowerConfig,
  type ResolvedClipConfig,
  type ResolvedImageTower,
  type ResolvedTextTower,
  resolveConfig,
  type TextTowerConfig,
  type TowerConfig,
} from './config';
export { ClipModel, type ClipOutput, l2Normalize } from './model';
export {
  type ContrastiveObjective,
  type ContrastiveOptions,
  captionGroups,
  infoNCE,
  oneWayInfoNCE,
  sigLIP,
} from './objectives';
export {
  type Grid,
  type ImageTower,
  imagePatches,
  type PatchDropoutOptions,
  patchDropout,
  poolAtToken,
  type ResizePositionsOptions,
  resizePositions,
  SiglipTextTransformer,
  SiglipVisionTransformer,
  type TextTower,
  TextTransformer,
  type TowerOptions,
  VisionTransformer,
} from './towers';
