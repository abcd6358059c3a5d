import { exp } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { meanCosine } from '../diagnostics/measures';
import { l2Normalize } from '../model';
import type { ContrastiveObjective } from '../objectives';
import type { ContrastiveModel } from './contrastive-model';

/** The loss of a step, and what tells how the training is doing: see `clipDiagnostics`. */
export type Contrast = { loss: tf.Scalar } & Record<string, tf.Scalar>;

/** The objective on features as the towers give them, `[n, d]`. */
export function contrast(
  model: ContrastiveModel,
  objective: ContrastiveObjective,
  features: { image: tf.Tensor2D; text: tf.Tensor2D },
  groups: tf.Tensor1D | undefined,
): Contrast {
  return tf.tidy(() => {
    const image = l2Normalize(features.image);
    const text = l2Normalize(features.text);
    const scale = exp(model.logitScale);
    const loss = objective(image, text, scale, { groups, logitBias: model.logitBias });
    const chance = objective.chance?.(image.shape[0], groups);
    return {
      loss,
      ...(chance && { chance }),
      scale: tf.reshape(scale, []),
      imageCosine: meanCosine(image),
      textCosine: meanCosine(text),
    };
  });
}
