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
import { Alignment, spokenBy } from './alignment';
import { Alphabet } from './alphabet';
import { Analogies } from './analogies';
import { AnalogyEmbedding, AnalogyTokens } from './analogy-embedding';
import { judge } from './judge';
import { type Lexicon, LONGEST, spelling } from './lexicon';
import { NgramEmbedding } from './ngram-embedding';
import { Ngrams } from './ngrams';

/** Sines where nothing is said, as in runs and models of before there was a choice. */
export const positionsSchema = v.optional(v.picklist(['sinusoidal', 'rotary']), 'sinusoidal');

/** None where nothing is said, as in models of before. */
export const ngramsSchema = v.optional(v.picklist([0, 3, 5, 7]), 0);

export const ngramDropoutSchema = v.optional(shareSchema, 0);

/** From the first phone to the last where nothing is said, as in models of before. */
export const backwardsSchema = v.optional(v.boolean(), false);

/** None where nothing is said, as in models of before. */
export const analogiesSchema = v.optional(v.picklist([0, 1, 2, 3]), 0);

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
  /** Says the last phone first. Default false. */
  backwards?: boolean;
  /** Words to look up at each end of a word, for what their letters sound as. Default 0. */
  analogies?: v.InferOutput<typeof analogiesSchema>;
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

/** Under this name the model's file tells what its tokens mean. */
export const G2P_ENTRY = 'poiesis.g2p';

/** A Transformer from letters to phones. */
export class Speaker {
  readonly model: Transformer;
  readonly #tokens: AnalogyTokens | null;
  #judge: ReturnType<typeof judge> | null = null;

  /** @param known the frequent n-grams of letters, where `sizes` has some. */
  constructor(
    readonly alphabet: Alphabet,
    readonly sizes: SpeakerSizes,
    { seed, ngrams = null, analogies = null }: { seed: number } & Partial<Known>,
  ) {
    const { targetVocab } = alphabet;
    this.#tokens = analogies && new AnalogyTokens(alphabet.sourceVocab, analogies);
    const sourceVocab = this.#tokens?.vocab ?? alphabet.sourceVocab;
    const { dim, heads, layers, dropout, positions, ngramDropout = 0 } = sizes;
    const config = {
      ...{ sourceVocab, targetVocab, dim, heads, layers, dropout, feedForward },
      attentionDropout: 0,
      residual: preNorm,
      tied: 'output',
      // A search goes on to twice the letters and some, and what it finds is judged with its start and end.
      maxLength: 3 * (LONGEST + 2),
      ...(positions === 'rotary' && { positions: turned }),
      embeddings: embeddings(alphabet.sourceVocab, ngrams, ngramDropout, this.#tokens),
    } as const;
    this.model = new Transformer(config, { seed });
  }

  /**
   * A speaker that has learned nothing yet, with the n-grams and words of a lexicon.
   * @param options `alignment`: of the lexicon, where there is one already.
   */
  static of(
    lexicon: Lexicon,
    sizes: SpeakerSizes,
    { seed, alignment }: { seed: number; alignment?: Alignment },
  ): Speaker {
    const alphabet = Alphabet.of(lexicon);
    const spoken = spokenBy(lexicon, alphabet);
    const { sourceVocab: vocab } = alphabet;
    const words = spoken.map(({ letters }) => letters);
    const { ngrams: longest = 0, analogies: count = 0 } = sizes;
    const aligned = () => alignment ?? Alignment.of(lexicon, alphabet);
    const most = AnalogyTokens.mostParts(vocab, count);
    return new Speaker(alphabet, sizes, {
      seed,
      ngrams: longest === 0 ? null : Ngrams.of(words, { vocab, longest }),
      analogies: count === 0 ? null : Analogies.of(spoken, aligned(), { count, most }),
    });
  }

  /** The tokens of a word, with what is known by analogy. @throws ExampleError for an unknown letter. */
  spell(word: string): number[] {
    const letters = this.alphabet.spell(word);
    return this.#tokens?.of(letters) ?? letters;
  }

  /** The tokens of a pronunciation in the order in which the model says them. */
  sound(phones: readonly string[]): number[] {
    return this.alphabet.sound(this.#turned(phones));
  }

  /** What each word may sound like, best first. @throws ExampleError for an unknown letter. */
  async propose(words: readonly string[], { beams }: { beams: number }): Promise<Pronunciation[][]> {
    const sources = words.map((word) => this.spell(word));
    const found = await beamSearch(this.model, sources, { beams, lengthPenalty: 0 });
    return found.map((hypotheses) =>
      hypotheses.map(({ tokens, logProb }) => ({
        phones: this.#turned(this.alphabet.read(tokens)),
        logProb,
      })),
    );
  }

  /** How probable it is that words sound so, as natural logarithms. For a model in evaluation. */
  judge(pairs: readonly { word: string; phones: readonly string[] }[]): Promise<number[]> {
    this.#judge ??= judge(this.model);
    const words = new Set(pairs.map(({ word }) => word));
    const sources = new Map([...words].map((word) => [word, this.spell(word)]));
    return this.#judge(
      pairs.map(({ word, phones }) => ({ source: sources.get(word)!, target: this.sound(phones) })),
    );
  }

  #turned<T>(items: readonly T[]): T[] {
    return this.sizes.backwards ? [...items].reverse() : [...items];
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
      const speaker = new Speaker(alphabet, sizes, { seed: 0, ...known(state, alphabet, sizes) });
      speaker.model.loadStateDict(state);
      speaker.model.eval();
      return speaker;
    } finally {
      await file.close();
    }
  }
}

/** Vectors for letters, the n-grams around them and what they sound as elsewhere; for phones no more than the usual. */
function embeddings(
  letters: number,
  ngrams: Ngrams | null,
  dropout: number,
  tokens: AnalogyTokens | null,
): EmbeddingMaker {
  return ({ side, vocab, dim, key }) => {
    const options = { key, init: normalInit({ std: dim ** -0.5 }) };
    if (side === 'target') return new Embedding(vocab, dim, options);
    const own = ngrams
      ? new NgramEmbedding(ngrams, dim, { ...options, widths: widthsFor(ngrams), dropout })
      : new Embedding(letters, dim, options);
    return tokens ? new AnalogyEmbedding(own, tokens, dim, { ...options, key: key.fold(1) }) : own;
  };
}

function widthsFor({ tables }: Ngrams): Record<number, number> {
  return Object.fromEntries(Object.entries(WIDTHS).filter(([size]) => Number(size) <= tables.length + 1));
}

/** What a model knew of words before it learned. */
interface Known {
  /** The frequent n-grams of letters. */
  ngrams: Ngrams | null;
  analogies: Analogies | null;
}

/** What the model of a state dict knew. */
function known(state: StateDict, { sourceVocab }: Alphabet, { analogies: count = 0 }: SpeakerSizes): Known {
  const entry = (name: string) => state[`source_embedding.${name}`];
  const [words, parts] = [entry('words'), entry('parts')];
  const inside = words ? 'letters.' : '';
  const tables: Int32Array[] = [];
  for (let table = entry(`${inside}tables.0`); table; table = entry(`${inside}tables.${tables.length}`)) {
    tables.push(toInt32(table));
  }
  return {
    ngrams: tables.length === 0 ? null : new Ngrams(sourceVocab, tables),
    analogies: words && parts ? new Analogies(toInt32(words), toInt32(parts), count) : null,
  };
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
    backwards: backwardsSchema,
    analogies: analogiesSchema,
  }),
);

/** A word as it was typed, as the model spells it. @throws ExampleError for none, and for one that is too long. */
export function typedWord(text: string): string {
  const word = spelling(text.trim());
  const { length } = [...word];
  if (length >= 1 && length <= LONGEST) return word;
  throw new ExampleError(`--word: expected 1 to ${LONGEST} letters, got ${length}`);
}
