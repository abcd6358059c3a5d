import { registerFileOpener, registerStoreFactory } from '../../checkpoint';
import { directoryStore } from './directory-store';
import { fileSource } from './file-source';

export { isLeftover, writeAtomic } from './atomic-write';
export { type DamagedCheckpoint, type DirectoryStoreOptions, directoryStore } from './directory-store';
export { fileSource } from './file-source';
export {
  type LoadModelOptions,
  loadModel,
  openSafetensors,
  readSafetensors,
  saveModel,
  writeSafetensors,
  writeShardedSafetensors,
} from './model-file';

// With this import, paths mean files: in `train(…, { checkpoints: 'runs/a' })` and `SafetensorsFile.open('a.safetensors')`.
registerStoreFactory((path) => directoryStore(path));
registerFileOpener(fileSource);
