export {
  EmbeddingIndex,
  type EmbeddingIndexOptions,
  type IndexContent,
  type Match,
  type SearchOptions,
} from './embedding-index';
export { decodeIndex, encodeIndex, indexTensors } from './format';
export type { GraphProvider, NeighbourGraph } from './graph';
export type { Compute } from './scan';
export { type HostVectors, hostVectors, normalized, type Vectors } from './vectors';
