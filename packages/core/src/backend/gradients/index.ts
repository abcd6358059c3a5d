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

// Gradients are one registry for all backends.
for (const gradient of ours) tf.registerGradient(gradient as unknown as tf.GradConfig);
