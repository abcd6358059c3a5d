import {
  beamSearch,
  type EmbeddingMaker,
  FeedForward,
  type FeedForwardMaker,
  preNorm,
  RotaryPositions,
  Transformer,
} from '@poiesis/attention';
import { Embedding, normalInit, SafetensorsFile, type StateDict, toInt32 } from '@poiesis/core';
import { openSafetensors } from '@poiesis/core/node';
import * as v from 'valibot';
import { ExampleError, oneLine } from '../errors';
import { shareSchema } from '../run/config';
import { Alphabet } from './alphabet';
import { type Lexicon, LONGEST, spelling } from './lexicon';
import { NgramEmbedding } from './ngram-embedding';
import { Ngrams } from './ngrams';

/** Sines where nothing is said, as in runs and models of before there was a choice. */
export const positionsSchema = v.optional(v.picklist(['sinusoidal', 'rotary']), 'sinusoidal');

/** None where nothing is said, as in models of before. */
export const ngramsSchema = v.optional(v.picklist([0, 3, 5, 7]), 0);

export const ngramDropoutSchema = v.optional(shareSchema, 0);

/** Sizes of the Transformer. */
export interface SpeakerSizes {
  dim: number;
  heads: number;
  layers: number;
  dropout: number;
  /** What tells places apart: the paper's sines added to embeddings, or queries and keys turned by their place. */
  positions: v.InferOutput<typeof positionsSchema>;
  /** Letters of the longest n-grams that have a vector of their own: 3 to 7, or 0 for none, the default. */
  ngrams?: number;
  /** Share of the n-grams that training takes for unknown. */
  ngramDropout?: number;
}

/** A pronunciation and the natural logarithm of its probability. */
export interface Pronunciation {
  phones: string[];
  logProb: number;
}

/** Angles for words: the slowest goes around once in some 500 letters. */
const turned = ({ maxLength }: { maxLength: number }) => new RotaryPositions({ base: 100, maxLength });

/** Numbers of a vector, by letters of its n-gram: the longer, the more of them are there. */
const WIDTHS = { 3: 64, 5: 32, 7: 16 } as const;

/** As the paper has it: of a feed-forward network its result is dropped, not the layer inside it. */
const feedForward: FeedForwardMaker = (dim, hidden, { key, bias }) =>
  new FeedForward(dim, hidden, { key, bias });

/** Words decoded side by side. */
const SIDE_BY_SIDE = 64;
/** Under this name the model's file tells what its tokens mean. */
export const G2P_ENTRY = 'poiesis.g2p';

/** A Transformer from letters to phones. */
export class Speaker {
  readonly model: Transformer;

  /** @param known the frequent n-grams of letters, where `sizes` has some. */
  constructor(
    readonly alphabet: Alphabet,
    readonly sizes: SpeakerSizes,
    { seed, known = null }: { seed: number; known?: Ngrams | null },
  ) {
    const { sourceVocab, targetVocab } = alphabet;
    const { dim, heads, layers, dropout, positions, ngramDropout = 0 } = sizes;
    const config = {
      ...{ sourceVocab, targetVocab, dim, heads, layers, dropout, feedForward },
      attentionDropout: 0,
      residual: preNorm,
      tied: 'output',
      maxLength: 2 * (LONGEST + 2),
      ...(positions === 'rotary' && { positions: turned }),
      ...(known && { embeddings: withNgrams(known, ngramDropout) }),
    } as const;
    this.model = new Transformer(config, { seed });
  }

  /** A speaker that has learned nothing yet, with the n-grams of a lexicon. */
  static of(lexicon: Lexicon, sizes: SpeakerSizes, { seed }: { seed: number }): Speaker {
    const alphabet = Alphabet.of(lexicon);
    const words = [...lexicon.keys()].map((word) => alphabet.spell(word));
    const { ngrams: longest = 0 } = sizes;
    const known = longest === 0 ? null : Ngrams.of(words, { vocab: alphabet.sourceVocab, longest });
    return new Speaker(alphabet, sizes, { seed, known });
  }

  /**
   * The most probable pronunciations of each word, best first. Words of like length are decoded side by side, always
   * as many, so that few programs are compiled.
   */
  async say(
    words: readonly string[],
    { beams, onProgress }: { beams: number; onProgress?: (done: number) => void },
  ): Promise<Map<string, Pronunciation[]>> {
    const said = new Map<string, Pronunciation[]>();
    const sources = words.map((word) => ({ word, tokens: this.alphabet.spell(word) }));
    const groups = new Map<number, typeof sources>();
    for (const source of sources) {
      const size = Math.ceil(source.tokens.length / 8);
      const group = groups.get(size);
      if (group) group.push(source);
      else groups.set(size, [source]);
    }
    const count = words.length === 1 ? 1 : SIDE_BY_SIDE;
    for (const group of groups.values()) {
      for (let i = 0; i < group.length; i += count) {
        const some = group.slice(i, i + count);
        const filled = Array.from({ length: count }, (_, j) => (some[j] ?? some[0]!).tokens);
        const found = await beamSearch(this.model, filled, { beams, lengthPenalty: 0 });
        for (const [j, { word }] of some.entries()) {
          const spoken = found[j]!.map(({ tokens, logProb }) => ({
            phones: this.alphabet.read(tokens),
            logProb,
          }));
          said.set(word, spoken);
        }
        onProgress?.(said.size);
      }
    }
    return said;
  }

  /** What goes with the weights: enough to say words again. */
  metadata(): Record<string, string> {
    const { letters, phones } = this.alphabet;
    return { [G2P_ENTRY]: JSON.stringify({ letters, phones, ...this.sizes }) };
  }

  /** Loads what a run has saved. @throws ExampleError where there is nothing, or something else. */
  static async load(path: string): Promise<Speaker> {
    const file = await openSafetensors(path).catch((cause) => {
      throw new ExampleError(`no trained model in ${path}: ${oneLine(cause)}`, { cause });
    });
    try {
      const entry = file instanceof SafetensorsFile ? file.metadata[G2P_ENTRY] : undefined;
      const saved = v.safeParse(savedSchema, entry);
      if (!saved.success) throw new ExampleError(`${path} holds no model that g2p has trained`);
      const { letters, phones, ...sizes } = saved.output;
      const state = await file.stateDict();
      const alphabet = new Alphabet(letters, phones);
      const known = savedNgrams(state, alphabet.sourceVocab);
      const speaker = new Speaker(alphabet, sizes, { seed: 0, known });
      speaker.model.loadStateDict(state);
      return speaker;
    } finally {
      await file.close();
    }
  }
}

/** Vectors for letters and the n-grams around them; for phones no more than the usual. */
function withNgrams(known: Ngrams, dropout: number): EmbeddingMaker {
  const longest = known.tables.length + 1;
  const widths = Object.fromEntries(Object.entries(WIDTHS).filter(([size]) => Number(size) <= longest));
  return ({ side, vocab, dim, key }) => {
    const options = { key, init: normalInit({ std: dim ** -0.5 }) };
    return side === 'source'
      ? new NgramEmbedding(known, dim, { ...options, widths, dropout })
      : new Embedding(vocab, dim, options);
  };
}

/** The n-grams that a model was trained with. */
function savedNgrams(state: StateDict, vocab: number): Ngrams | null {
  const tables: Int32Array[] = [];
  for (;;) {
    const table = state[`source_embedding.tables.${tables.length}`];
    if (!table) break;
    tables.push(toInt32(table));
  }
  return tables.length === 0 ? null : new Ngrams(vocab, tables);
}

const size = v.pipe(v.number(), v.integer(), v.minValue(1));
const savedSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    letters: v.array(v.string()),
    phones: v.array(v.string()),
    dim: size,
    heads: size,
    layers: size,
    dropout: v.number(),
    positions: positionsSchema,
    ngrams: ngramsSchema,
    ngramDropout: ngramDropoutSchema,
  }),
);

/** A word as it was typed, as the model spells it. @throws ExampleError for none, and for one that is too long. */
export function typedWord(text: string): string {
  const word = spelling(text.trim());
  const { length } = [...word];
  if (length >= 1 && length <= LONGEST) return word;
  throw new ExampleError(`--word: expected 1 to ${LONGEST} letters, got ${length}`);
}
