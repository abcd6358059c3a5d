export type { DecodeImageOptions, ReadImageOptions } from './files';
export { checkJpeg, decodeJpeg, encodeJpeg, readJpeg, type WriteJpegOptions, writeJpeg } from './jpeg';
export { decodePng, encodePng, readPng, writePng } from './png';
export { decodeImage, readImage } from './read-image';
