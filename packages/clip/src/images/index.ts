export { overColour } from './alpha';
export {
  type AugmentOptions,
  augment,
  type ColourJitterOptions,
  colourJitter,
  flipImage,
  type RandomCropOptions,
  randomCropBox,
  randomResizedCrop,
} from './augment';
export { type CanvasPictureOptions, type CanvasSource, pictureFromCanvas } from './canvas';
export { adjustBrightness, adjustContrast, adjustHue, adjustSaturation } from './colour';
export { exifOrientation } from './exif-orientation';
export { orientImage } from './orient';
export { frameImage, normalizeImage, type PreparedImage, preprocess, preprocessBatch } from './preprocess';
export {
  huggingFacePreprocessing,
  parseHuggingFacePreprocessing,
  parseOpenClipPreprocessing,
} from './preprocessing-config';
export {
  CLIP_MEAN,
  CLIP_STD,
  clipPreprocessing,
  type ImagePreprocessing,
  siglipPreprocessing,
} from './settings';
