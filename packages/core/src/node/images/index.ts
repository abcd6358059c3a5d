export { type DecodeImageOptions, type ReadImageOptions, readFileBytes } from './files';
export { checkJpeg, decodeJpeg, encodeJpeg, readJpeg, type WriteJpegOptions, writeJpeg } from './jpeg';
export { decodePng, encodePng, readPng, writePng } from './png';
export { decodeImage, readImage } from './read-image';
