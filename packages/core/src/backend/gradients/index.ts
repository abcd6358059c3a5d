import './tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { byOutputGradients } from './by-output';
import type { Gradient } from './config';
import { convolutionGradients } from './convolution';
import { einsumGradients } from './einsum';
import { elementwiseGradients } from './elementwise';
import { indexingGradients } from './indexing';
import { poolingGradients } from './pooling';
import { rearrangingGradients } from './rearranging';
import { reductionGradients } from './reductions';
import { resizingGradients } from './resizing';

const ours: readonly Gradient[] = [
  ...byOutputGradients,
  ...convolutionGradients,
  ...einsumGradients,
  ...elementwiseGradients,
  ...indexingGradients,
  ...poolingGradients,
  ...rearrangingGradients,
  ...reductionGradients,
  ...resizingGradients,
];

/** Kernels whose gradient tfjs lacks, and those where ours stands instead, because tfjs's is wrong or ends at once. */
export const gradientOrigin = {
  added: ours.map((g) => g.kernelName).filter((name) => !tf.getGradient(name)),
  replaced: ours.map((g) => g.kernelName).filter((name) => tf.getGradient(name)),
};

/**
 * Puts core's gradients into tfjs's one registry for all backends. Done on import, and again whenever a backend is
 * taken, because a later import of the `@tensorflow/tfjs` bundle registers tfjs's own over them.
 */
export function registerGradients(): void {
  for (const gradient of ours) tf.registerGradient(gradient as unknown as tf.GradConfig);
}

registerGradients();
