export {
  type ByteSource,
  blobSource,
  bufferSource,
  byteSource,
  registerFileOpener,
  type SourceLike,
  urlSource,
} from './byte-source';
export { hostTensor, type NativeArray, type NumberArray, nativeArray, toFloat32, toInt32 } from './convert';
export { type Checksum, crc32 } from './crc32';
export type { TensorInfo } from './header';
export type { DiskDType, HostTensor, LoadReport, StateDict, Stateful } from './host-tensor';
export { type Leaves, loadLeaves, saveLeaves } from './leaves';
export { memoryStore } from './memory-store';
export {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsContent,
  SafetensorsFile,
  safetensorsParts,
  type TensorReader,
} from './safetensors';
export {
  parseShardIndex,
  planShards,
  ShardedSafetensors,
  type ShardIndex,
  type ShardOptions,
} from './sharded';
export {
  type CheckpointStore,
  registerStoreFactory,
  type StoreFactory,
  storeFor,
  type TrainingCheckpoint,
} from './store';
export { encodeCheckpoint, readCheckpoint } from './training-checkpoint';
