import { conv2dBackpropInput } from './conv2d-backprop-input';
import { applyCorrection, type Correction } from './correction';
import { slice } from './slice';

const corrections: readonly Correction[] = [conv2dBackpropInput, slice];

/** Replaces kernels of tfjs's wasm backend that are wrong or needlessly slow. */
export function correctWasm(): void {
  for (const correction of corrections) applyCorrection(correction);
}
