import { beamSearch, preNorm, RotaryPositions, Transformer } from '@poiesis/attention';
import { SafetensorsFile } from '@poiesis/core';
import { openSafetensors } from '@poiesis/core/node';
import * as v from 'valibot';
import { ExampleError, oneLine } from '../errors';
import { Alphabet } from './alphabet';
import { LONGEST, spelling } from './lexicon';

/** Sines where nothing is said, as in runs and models of before there was a choice. */
export const positionsSchema = v.optional(v.picklist(['sinusoidal', 'rotary']), 'sinusoidal');

/** Sizes of the Transformer. */
export interface SpeakerSizes {
  dim: number;
  heads: number;
  layers: number;
  dropout: number;
  /** What tells places apart: the paper's sines added to embeddings, or queries and keys turned by their place. */
  positions: v.InferOutput<typeof positionsSchema>;
}

/** A pronunciation and the natural logarithm of its probability. */
export interface Pronunciation {
  phones: string[];
  logProb: number;
}

/** Angles for words: the slowest goes around once in some 500 letters. */
const turned = ({ maxLength }: { maxLength: number }) => new RotaryPositions({ base: 100, maxLength });

/** Words decoded side by side. */
const SIDE_BY_SIDE = 64;
/** Under this name the model's file tells what its tokens mean. */
export const G2P_ENTRY = 'poiesis.g2p';

/** A Transformer from letters to phones. */
export class Speaker {
  readonly model: Transformer;

  constructor(
    readonly alphabet: Alphabet,
    readonly sizes: SpeakerSizes,
    { seed }: { seed: number },
  ) {
    const { sourceVocab, targetVocab } = alphabet;
    const { positions, ...rest } = sizes;
    const parts = { residual: preNorm, tied: 'output', maxLength: 2 * (LONGEST + 2) } as const;
    const config = { sourceVocab, targetVocab, ...rest, ...parts };
    this.model = new Transformer(positions === 'rotary' ? { ...config, positions: turned } : config, {
      seed,
    });
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
      const known = v.safeParse(savedSchema, entry);
      if (!known.success) throw new ExampleError(`${path} holds no model that g2p has trained`);
      const { letters, phones, ...sizes } = known.output;
      const speaker = new Speaker(new Alphabet(letters, phones), sizes, { seed: 0 });
      speaker.model.loadStateDict(await file.stateDict());
      return speaker;
    } finally {
      await file.close();
    }
  }
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
  }),
);

/** A word as it was typed, as the model spells it. @throws ExampleError for none, and for one that is too long. */
export function typedWord(text: string): string {
  const word = spelling(text.trim());
  const { length } = [...word];
  if (length >= 1 && length <= LONGEST) return word;
  throw new ExampleError(`--word: expected 1 to ${LONGEST} letters, got ${length}`);
}
