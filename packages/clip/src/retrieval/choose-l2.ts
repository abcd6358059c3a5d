import type { Vectors } from '../embedding-index';
import { classesOf, fitLinearProbe, type LinearProbe, type LinearProbeOptions } from './linear-probe';

/** Features with their labels. */
export interface LabelledFeatures {
  features: Vectors;
  labels: ArrayLike<number>;
}

export interface ChosenL2 {
  l2: number;
  /** On the validation slice. */
  accuracy: number;
  /** All that were tried, by strength. */
  tried: { l2: number; accuracy: number }[];
}

/**
 * Chooses the strength of the penalty on a validation slice, as the CLIP paper does (appendix A.3): from 1e-6, 1e-4, …,
 * 1e6, the best is taken, and the interval around it halved until eight steps make a decade. Of equally accurate ones
 * the strongest penalty.
 */
export async function chooseL2(
  training: LabelledFeatures,
  validation: LabelledFeatures,
  options: Omit<LinearProbeOptions, 'l2' | 'from'> = {},
): Promise<ChosenL2> {
  const classes = options.classes ?? Math.max(classesOf(training.labels), classesOf(validation.labels));
  const accuracies = new Map<number, number>();
  let from: LinearProbe | undefined;
  const measure = async (exponent: number) => {
    if (accuracies.has(exponent) || Math.abs(exponent) > 6) return;
    // Neighbouring strengths have neighbouring solutions.
    from = await fitLinearProbe(training.features, training.labels, {
      ...options,
      classes,
      from,
      l2: 10 ** exponent,
    });
    accuracies.set(exponent, await from.accuracy(validation.features, validation.labels));
  };
  const best = () =>
    [...accuracies].reduce((a, b) => (b[1] > a[1] || (b[1] === a[1] && b[0] > a[0]) ? b : a))[0];
  for (let exponent = 6; exponent >= -6; exponent -= 2) await measure(exponent);
  for (let step = 1; step >= 1 / 8; step /= 2) {
    const peak = best();
    await measure(peak + step);
    await measure(peak - step);
  }
  const tried = [...accuracies]
    .sort(([a], [b]) => a - b)
    .map(([exponent, accuracy]) => ({ l2: 10 ** exponent, accuracy }));
  const exponent = best();
  return { l2: 10 ** exponent, accuracy: accuracies.get(exponent)!, tried };
}
