import type { AttentionWeights, Transformer } from '@poiesis/attention';
import type * as tf from '@tensorflow/tfjs-core';

/** A trained model with something to read, and what it answers. */
export interface Subject {
  /** The example that has trained the model. */
  example: string;
  model: Transformer;
  /** What was read and what came out, as a line. */
  title: string;
  source: { tokens: readonly number[]; labels: readonly string[] };
  /** Without start and end. */
  target: { tokens: readonly number[]; labels: readonly string[] };
}

/** Of the encoder, of the decoder, and from the decoder to the encoder. */
export const attentions = ['encoder', 'decoder', 'cross'] as const;
export type Attention = (typeof attentions)[number];

/** Where one head looks. */
export interface HeadMap {
  attention: Attention;
  /** From 1. */
  layer: number;
  /** From 1. */
  head: number;
  /** Of the rows: who looks. In decoder and cross it is the token that is about to be said. */
  queries: readonly string[];
  /** Of the columns: what is looked at. */
  keys: readonly string[];
  /** `queries × keys`; each row has the sum 1. */
  weights: readonly (readonly number[])[];
}

/** Start and end among the labels, as in regular expressions. */
export const START = '^';
export const END = '$';

/** Which of the maps; all where nothing is said. */
export interface Choice {
  attention?: Attention | undefined;
  layer?: number | undefined;
  head?: number | undefined;
}

/**
 * The maps of all heads while the model says its answer: at each place the decoder is given its own words so far.
 */
export async function headMaps(subject: Subject, choice: Choice = {}): Promise<HeadMap[]> {
  const { model, source, target } = subject;
  model.eval();
  const weights = model.attention([source.tokens], [[model.config.start, ...target.tokens]]);
  const said = [...target.labels, END];
  const labels: Record<Attention, Pick<HeadMap, 'queries' | 'keys'>> = {
    encoder: { queries: source.labels, keys: source.labels },
    decoder: { queries: said, keys: [START, ...target.labels] },
    cross: { queries: said, keys: source.labels },
  };
  const maps: HeadMap[] = [];
  for (const attention of attentions) {
    for (const [layer, tensor] of weights[attention].entries()) {
      for (const [head, rows] of (await headsOf(tensor)).entries()) {
        maps.push({ attention, layer: layer + 1, head: head + 1, ...labels[attention], weights: rows });
      }
    }
  }
  dispose(weights);
  return maps.filter(
    (map) =>
      (choice.attention ?? map.attention) === map.attention &&
      (choice.layer ?? map.layer) === map.layer &&
      (choice.head ?? map.head) === map.head,
  );
}

/** `[1, heads, queries, keys]` → per head, rows of numbers. */
async function headsOf(weights: tf.Tensor): Promise<number[][][]> {
  const [nested] = (await weights.array()) as number[][][][];
  return nested!;
}

function dispose(weights: AttentionWeights): void {
  for (const tensor of Object.values(weights).flat()) tensor.dispose();
}

/** The maps of each attention and layer, together. */
export function byLayer(maps: readonly HeadMap[]): HeadMap[][] {
  const groups: HeadMap[][] = [];
  for (const map of maps) {
    const last = groups.at(-1);
    const [first] = last ?? [];
    if (last && first!.attention === map.attention && first!.layer === map.layer) last.push(map);
    else groups.push([map]);
  }
  return groups;
}

/** What the rows and columns of a map are. */
export const meanings: Record<Attention, string> = {
  encoder: 'what is read looks at all that is read',
  decoder: 'what is about to be said looks at what was said before',
  cross: 'what is about to be said looks at what was read',
};
