export { pictureFiles } from './picture-files';
export { decodePicture, type ReadPictureOptions, readPicture } from './read-picture';
