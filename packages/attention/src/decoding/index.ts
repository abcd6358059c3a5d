export { type BeamSearchOptions, beamSearch } from './beam-search';
export type { Decodable, Hypothesis } from './model';
export type { Source, Sources } from './sources';
export { type GreedyOptions, greedy, type SampleOptions, sample } from './token-by-token';
