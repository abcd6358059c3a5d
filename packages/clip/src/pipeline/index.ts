export {
  CLIP,
  type ClipParts,
  type EmbedImagesOptions,
  type EmbedOptions,
  type ImageBatch,
  type SettledImages,
} from './clip';
export { ImageError, type ImageErrorDetails } from './image-error';
export { type ImageReader, type ImageSource, registerImageReader } from './image-source';
export { type IndexedImages, indexImages } from './index-images';
export {
  type PretrainedOptions,
  type PretrainedParts,
  type PretrainedReader,
  preprocessingFor,
  registerPretrainedReader,
} from './pretrained';
export { promptTemplates } from './template-sets';
export type { TemplateOptions } from './templates';
export { type LabelScore, type Temperature, ZeroShotClassifier } from './zero-shot';
