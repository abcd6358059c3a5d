export { loadIndex, saveIndex } from './index-file';
export { type UsearchOptions, type UsearchPrecision, usearch } from './usearch';
