export { type ChosenL2, chooseL2, type LabelledFeatures } from './choose-l2';
export { fitLinearProbe, LinearProbe, type LinearProbeOptions } from './linear-probe';
export {
  type Groups,
  type ImageTextPairs,
  imageRetrieval,
  imageTextRetrieval,
  medianRank,
  type RetrievalMetrics,
  recallAt,
  retrievalMetrics,
} from './metrics';
export { retrievalRanks } from './ranks';
