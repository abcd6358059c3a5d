import { MAX_LOGIT_SCALE } from '../training/temperature';
import type { CollapsedEmbeddings, Finding, LossAtChance, SaturatedTemperature, Thresholds } from './finding';

// Each takes numbers and says what they mean, or null where nothing is wrong. NaN is nothing here: `train()` stops at it.

type Limits = Required<Thresholds>;

const UPPER = Math.exp(MAX_LOGIT_SCALE);
const LOWER = 1;

export function lossAtChance(loss: number, chance: number, limits: Limits): LossAtChance | null {
  if (!(chance > 0 && loss >= chance * limits.chance)) return null;
  const sentence =
    `The loss is ${show(loss)} where features that tell nothing give ${show(chance)}: nothing has been learned yet. ` +
    'See that pictures and texts are not shuffled against each other; try a lower learning rate, or a longer warm-up.';
  return { kind: 'loss-at-chance', loss, chance, sentence };
}

export function saturatedTemperature(scale: number, limits: Limits): SaturatedTemperature | null {
  if (scale >= UPPER * limits.temperature) {
    const sentence =
      `The temperature is at its limit: cosines are multiplied by ${show(scale)}, and more than ${show(UPPER)} is not ` +
      'allowed. Released CLIPs end there after billions of pairs; early, it says that the pairs are too easy or repeat ' +
      'themselves, or that the learning rate of logit_scale is too high.';
    return { kind: 'saturated-temperature', limit: 'upper', scale, sentence };
  }
  if (scale > LOWER / limits.temperature || Number.isNaN(scale)) return null;
  const sentence =
    `The temperature is at its limit: cosines are multiplied by ${show(scale)}, and less than ${LOWER} is not allowed. ` +
    'The model answers that it does not know: pictures and texts may not belong together, or the learning rate of ' +
    'logit_scale is too high.';
  return { kind: 'saturated-temperature', limit: 'lower', scale, sentence };
}

export function collapsed(
  side: 'image' | 'text',
  cosine: number,
  limits: Limits,
  rank?: number,
): CollapsedEmbeddings | null {
  const isPoint = cosine >= limits.cosine;
  const isLine = rank !== undefined && rank <= limits.rank;
  if (!isPoint && !isLine) return null;
  const [what, input] = side === 'image' ? ['pictures', 'pictures'] : ['texts', 'captions'];
  const ranked = rank === undefined ? '' : `, effective rank ${show(rank)}`;
  const sentence =
    `The features of all ${what} are nearly the same (mean cosine ${show(cosine)}${ranked}): the ${side} tower has ` +
    `collapsed. A learning rate that is too high does this, and so do ${input} that are all the same.`;
  return {
    kind: 'collapsed-embeddings',
    side,
    cosine,
    ...(rank !== undefined && { effectiveRank: rank }),
    sentence,
  };
}

/** Those that are there. */
export function present(findings: readonly (Finding | null)[]): Finding[] {
  return findings.filter((finding) => finding !== null);
}

function show(value: number): string {
  return `${Number(value.toPrecision(4))}`;
}
