export { configDifferences } from './differences';
export { huggingFaceConfig, parseHuggingFaceConfig } from './hugging-face-config';
export { type ImageSizeOptions, resizeImageState, withImageSize } from './image-size';
export {
  type ClipLayout,
  fromHuggingFace,
  fromOpenClip,
  toHuggingFace,
  toOpenClip,
} from './layouts';
export {
  type ClipCheckpoint,
  type ClipFiles,
  clipFromCheckpoint,
  type LoadClipOptions,
  loadClipCheckpoint,
  readClipCheckpoint,
} from './load';
export { openClipConfig, parseOpenClipConfig } from './open-clip-config';
export type { ToldConfig } from './told';
