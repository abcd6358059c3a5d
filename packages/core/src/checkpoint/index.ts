export { hostTensor, type NativeArray, type NumberArray, nativeArray, toFloat32, toInt32 } from './convert';
export type { DiskDType, HostTensor, LoadReport, StateDict, Stateful } from './host-tensor';
export { type Leaves, loadLeaves, saveLeaves } from './leaves';
export {
  type CheckpointStore,
  registerStoreFactory,
  type StoreFactory,
  storeFor,
  type TrainingCheckpoint,
} from './store';
