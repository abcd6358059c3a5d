export { convertChannels } from './channels';
export { type CropBox, cropImage, fitImage } from './crop';
export { type ImageGridOptions, imageGrid } from './grid';
export { checkImage, type HostImage, type ImageChannels, imageArray } from './host-image';
export { type ResizeFilter, type ResizeOptions, resizeImage } from './resize';
