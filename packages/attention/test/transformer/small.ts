import { Transformer, type TransformerConfig } from '../../src';

/** A Transformer that is quickly made, and sequences for it. */
export const small = {
  sourceVocab: 7,
  targetVocab: 9,
  dim: 8,
  heads: 2,
  layers: 1,
  hidden: 12,
  dropout: 0,
} as const;
export const source = [
  [3, 4, 5, 6],
  [5, 3],
];
export const target = [
  [1, 4, 8],
  [1, 7],
];
export const make = (more: Partial<TransformerConfig> = {}, seed = 1) =>
  new Transformer({ ...small, ...more }, { seed });
