export { type ClipDiagnostics, type ClipDiagnosticsOptions, clipDiagnostics } from './clip-diagnostics';
export { type DiagnosedFeatures, diagnose } from './diagnose';
export type {
  CollapsedEmbeddings,
  Finding,
  LossAtChance,
  SaturatedTemperature,
  Thresholds,
} from './finding';
export { effectiveRank, meanCosine } from './measures';
