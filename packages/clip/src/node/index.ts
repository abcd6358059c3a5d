export {
  type ClipFolder,
  type LoadedClip,
  loadClip,
  type ReadClipOptions,
  readClip,
  type SaveClipOptions,
  saveClip,
} from './checkpoints';
export { loadIndex, saveIndex, type UsearchOptions, type UsearchPrecision, usearch } from './embedding-index';
export { decodePicture, pictureFiles, type ReadPictureOptions, readPicture } from './pictures';
export { savePretrained } from './pipeline';
export { readTokenizer } from './tokenizer';
