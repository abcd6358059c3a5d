export {
  type ClipActivation,
  type ClipConfig,
  endTokenOf,
  type ImageTowerConfig,
  type TextTowerConfig,
} from './config';
