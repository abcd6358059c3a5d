export { collate } from './collate';
export {
  cacheDataset,
  concatDatasets,
  type KeyedSampleContext,
  mapDataset,
  type SampleContext,
  splitDataset,
  subsetDataset,
  takeDataset,
} from './combinators';
export type { AnyDataset, Dataset, IterableDataset } from './dataset';
export { type Column, fromArrays, type Row } from './from-arrays';
export { DataLoader, type DataLoaderOptions, type LoadedBatch } from './loader';
export type { Cursor } from './plan';
export {
  type Collated,
  type CollatedField,
  type Field,
  type HostArray,
  type HostData,
  hostArray,
  int32,
  type Sample,
} from './sample';
