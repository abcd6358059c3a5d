export { type PatchDropoutOptions, patchDropout } from './patch-dropout';
export { imagePatches } from './patches';
export { poolAtToken } from './pool';
export { TextTransformer } from './text-transformer';
export type { ImageTower, TextTower, TowerOptions } from './tower';
export { VisionTransformer } from './vision-transformer';
