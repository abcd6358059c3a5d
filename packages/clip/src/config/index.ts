export type { ClipActivation, ClipConfig, ImageTowerConfig, TextTowerConfig, TowerConfig } from './config';
export { clipConfigs } from './named';
export {
  type ResolvedClipConfig,
  type ResolvedImageTower,
  type ResolvedTextTower,
  resolveConfig,
} from './resolve';
