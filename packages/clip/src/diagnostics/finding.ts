/** A way in which a contrastive training goes wrong without an error, with the numbers that show it. */
export type Finding = LossAtChance | SaturatedTemperature | CollapsedEmbeddings;

interface Found {
  /** What was seen, what it means and what helps, for people. */
  readonly sentence: string;
  /** The step at which it was seen, in a training. */
  readonly step?: number;
}

/** The loss is that of features that tell nothing of each other: ln(batch) for InfoNCE. */
export interface LossAtChance extends Found {
  readonly kind: 'loss-at-chance';
  readonly loss: number;
  readonly chance: number;
}

/** The temperature has arrived at one of its limits. */
export interface SaturatedTemperature extends Found {
  readonly kind: 'saturated-temperature';
  readonly limit: 'upper' | 'lower';
  /** The inverse temperature. */
  readonly scale: number;
}

/** All pictures, or all texts, get nearly the same features. */
export interface CollapsedEmbeddings extends Found {
  readonly kind: 'collapsed-embeddings';
  readonly side: 'image' | 'text';
  readonly cosine: number;
  /** Where features were given: see `effectiveRank`. */
  readonly effectiveRank?: number;
}

/** Where a finding begins. */
export interface Thresholds {
  /** Share of the loss of chance from which on a loss has not left it. Default 0.98. */
  chance?: number;
  /** The inverse temperature is at the upper limit, 100, from this share of it on. Default 0.99; below at 1 / 0.99. */
  temperature?: number;
  /** Mean cosine from which on features are the same. Default 0.98. Untrained towers have 0.9 and more. */
  cosine?: number;
  /** Effective rank up to which features are the same. Default 1.1. */
  rank?: number;
}

export const defaults: Required<Thresholds> = { chance: 0.98, temperature: 0.99, cosine: 0.98, rank: 1.1 };
