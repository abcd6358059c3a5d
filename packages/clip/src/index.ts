export type { ClipActivation, ClipConfig, ImageTowerConfig, TextTowerConfig } from './config';
