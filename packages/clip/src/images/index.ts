export { orientImage } from './orient';
export { frameImage, normalizeImage, type PreparedImage, preprocess, preprocessBatch } from './preprocess';
export {
  CLIP_MEAN,
  CLIP_STD,
  clipPreprocessing,
  type ImagePreprocessing,
  siglipPreprocessing,
} from './settings';
