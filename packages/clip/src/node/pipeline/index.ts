import { registerImageReader, registerPretrainedReader } from '../../pipeline';
import { readPicture } from '../pictures';
import { readPretrained } from './pretrained';

export { savePretrained } from './pretrained';

// With this import, CLIP takes paths: of pictures, and of folders of released models.
registerImageReader((source) => readPicture(source));
registerPretrainedReader(readPretrained);
