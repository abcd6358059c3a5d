export {
  type DamagedCheckpoint,
  type DirectoryStoreOptions,
  directoryStore,
  fileSource,
  type LoadModelOptions,
  loadModel,
  openSafetensors,
  readSafetensors,
  saveModel,
  writeSafetensors,
  writeShardedSafetensors,
} from './checkpoint';
