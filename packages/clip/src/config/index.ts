export type { ClipActivation, ClipConfig, ImageTowerConfig, TextTowerConfig, TowerConfig } from './config';
export {
  type ResolvedClipConfig,
  type ResolvedImageTower,
  type ResolvedTextTower,
  resolveConfig,
} from './resolve';
