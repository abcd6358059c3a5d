import { checkArgument } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { l2Normalize } from '../model';
import { collapsed, present, saturatedTemperature } from './find';
import { defaults, type Finding, type Thresholds } from './finding';
import { effectiveRank, meanCosine } from './measures';

/** Features to look at, normalized or not; at least one side, and different inputs in its rows. */
export interface DiagnosedFeatures {
  /** `[n, d]` with n > 1. */
  image?: tf.Tensor2D;
  /** `[n, d]` with n > 1. */
  text?: tf.Tensor2D;
  /** The inverse temperature: a scalar, `exp` of the parameter. */
  logitScale?: tf.Tensor;
}

/**
 * Looks for what is wrong with features that a model gives, of held-out pictures and texts for example. None of the
 * tensors is disposed.
 *
 * ```ts
 * for (const { kind, sentence } of await diagnose({ image, text })) console.warn(kind, sentence);
 * ```
 * @returns the findings, none where all is well.
 */
export async function diagnose(
  { image, text, logitScale }: DiagnosedFeatures,
  thresholds: Thresholds = {},
): Promise<Finding[]> {
  const limits = { ...defaults, ...thresholds };
  const sides = Object.entries({ image, text }).flatMap(([side, x]) =>
    x ? [{ side: side as 'image' | 'text', x }] : [],
  );
  checkArgument(sides.length > 0, 'diagnose', 'features', 'image, text, or both', undefined);
  for (const { side, x } of sides) {
    checkArgument(
      x.rank === 2 && x.shape[0] > 1,
      'diagnose',
      `features.${side}`,
      '[n, d] with n > 1',
      x.shape,
    );
  }
  const found: (Finding | null)[] = [];
  for (const { side, x } of sides) {
    const measures = tf.tidy(() => {
      const unit = l2Normalize(x);
      return tf.stack([meanCosine(unit), effectiveRank(unit)]);
    });
    const [cosine, rank] = await measures.data();
    measures.dispose();
    found.push(collapsed(side, cosine!, limits, rank!));
  }
  if (logitScale) found.push(saturatedTemperature((await logitScale.data())[0]!, limits));
  return present(found);
}
