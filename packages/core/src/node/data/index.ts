export { type CsvColumnType, type CsvOptions, type CsvValue, csv } from './csv';
export { decodeIdx, idx, readIdx } from './idx';
export { type ImageFolder, type ImageFolderOptions, imageFolder } from './image-folder';
export { type JsonlOptions, jsonl, streamJsonl } from './jsonl';
export { streamLines, textLines } from './lines';
export { type LabelledImage, type MnistOptions, mnist } from './mnist';
export { unreadable } from './read-bytes';
