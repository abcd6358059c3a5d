export { type PatchDropoutOptions, patchDropout } from './patch-dropout';
export { imagePatches } from './patches';
export { poolAtToken } from './pool';
export { type Grid, type ResizePositionsOptions, resizePositions } from './positions';
export { SiglipTextTransformer } from './siglip-text';
export { SiglipVisionTransformer } from './siglip-vision';
export { TextTransformer } from './text-transformer';
export type { ImageTower, TextTower, TowerOptions } from './tower';
export { VisionTransformer } from './vision-transformer';
