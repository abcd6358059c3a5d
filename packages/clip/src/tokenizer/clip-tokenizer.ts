import { checkArgument } from '@poiesis/core';
import { tokenizerOf } from './library-gaps';
import { TextTokenizer, type TextTokenizerOptions } from './text-tokenizer';
import { type BpeVocabulary, clipTokenizerJson, END, vocabularyOfMerges } from './vocabulary';

export interface ClipTokenizerOptions extends TextTokenizerOptions {
  /**
   * Id that fills rows up behind a text's end. Default: what the file says, otherwise 0, as OpenAI and open_clip have
   * it. In CLIP nothing behind the end reaches the result; in SigLIP it does.
   */
  padToken?: number;
}

/** What is read of a tokenizer_config.json. */
export interface TokenizerConfig {
  readonly bos_token?: unknown;
  readonly eos_token?: unknown;
  readonly pad_token?: unknown;
  readonly model_max_length?: unknown;
}

interface TokenizerJson {
  readonly truncation?: { readonly max_length: number } | null;
  readonly padding?: { readonly pad_id: number } | null;
}

/**
 * CLIP's byte-pair tokenizer (49,408 ids, rows of 77), and any other that a tokenizer.json describes, such as SigLIP's.
 *
 * The ids are Hugging Face's `CLIPTokenizer`'s: text is composed (NFC), white space becomes one space, letters become
 * small. OpenAI's and open_clip's own tokenizer cleans text before by ftfy and decodes HTML entities, which is the same
 * for plain text and not for typographic quotes, entities and text in the wrong encoding: see the README.
 */
export class ClipTokenizer extends TextTokenizer {
  readonly vocabSize: number;
  readonly startToken: number | undefined;
  readonly endToken: number;
  readonly padToken: number;
  readonly #json: TokenizerJson;
  readonly #tokenizer: ReturnType<typeof tokenizerOf>;

  private constructor(json: TokenizerJson, config: TokenizerConfig, options: ClipTokenizerOptions) {
    const { model_max_length: longest } = config;
    const noted =
      json.truncation?.max_length ?? (typeof longest === 'number' && longest < 1e6 ? longest : undefined);
    super({ ...options, contextLength: options.contextLength ?? noted });
    this.#json = json;
    this.#tokenizer = tokenizerOf(json, config);
    const { tokenizer } = this.#tokenizer;
    const vocab = tokenizer.get_vocab();
    this.vocabSize = [...vocab.values()].reduce((most, id) => Math.max(most, id + 1), 0);
    // What the tokenizer itself puts around an empty text.
    const frame = tokenizer.encode('').ids;
    const end = frame.at(-1);
    const expected = 'a post-processor that ends a text by a token';
    checkArgument(end !== undefined && frame.length <= 2, 'ClipTokenizer', 'json', expected, frame);
    this.startToken = frame.length === 2 ? frame[0] : undefined;
    this.endToken = end;
    const named = tokenNamed(config.pad_token);
    const padding = named === undefined ? json.padding?.pad_id : tokenizer.token_to_id(named);
    this.padToken = options.padToken ?? padding ?? 0;
  }

  /**
   * From merges alone: the content of OpenAI's bpe_simple_vocab_16e6.txt, uncompressed. In Node,
   * `readTokenizer(file)` reads and uncompresses it.
   */
  static fromMerges(text: string, options: ClipTokenizerOptions = {}): ClipTokenizer {
    return ClipTokenizer.fromVocabulary(vocabularyOfMerges(text), options);
  }

  /** From ids and merges: what vocab.json and merges.txt hold. */
  static fromVocabulary(
    vocabulary: BpeVocabulary,
    { config = {}, ...options }: ClipTokenizerOptions & { config?: TokenizerConfig } = {},
  ): ClipTokenizer {
    return new ClipTokenizer(clipTokenizerJson(vocabulary), config, options);
  }

  /**
   * From a tokenizer.json, and the tokenizer_config.json beside it.
   * @throws ArgumentError where `json` is no tokenizer, or one that ends texts by no token.
   */
  static fromJson(
    json: object,
    { config = {}, ...options }: ClipTokenizerOptions & { config?: TokenizerConfig } = {},
  ): ClipTokenizer {
    const whole = typeof json === 'object' && json !== null && 'model' in json;
    checkArgument(whole, 'ClipTokenizer.fromJson', 'json', 'the content of a tokenizer.json', json);
    return new ClipTokenizer(json as TokenizerJson, config, options);
  }

  encode(text: string): number[] {
    return this.#tokenizer.encode(text);
  }

  decode(ids: ArrayLike<number>): string {
    const end = Array.prototype.indexOf.call(ids, this.endToken);
    const kept = Array.prototype.slice.call(ids, 0, end < 0 ? ids.length : end) as number[];
    const words = kept.filter((id) => id !== this.startToken);
    if (words.length === 0) return '';
    const text = this.#tokenizer.tokenizer.decode(words, { clean_up_tokenization_spaces: false });
    return text.replaceAll('</w>', ' ').trim();
  }

  /** The content of a tokenizer.json that also says how rows are cut off and filled up. */
  toJSON(): object {
    const { contextLength, padToken } = this;
    return {
      ...this.#json,
      truncation: { direction: 'Right', max_length: contextLength, strategy: 'LongestFirst', stride: 0 },
      padding: {
        strategy: { Fixed: contextLength },
        direction: 'Right',
        pad_to_multiple_of: null,
        pad_id: padToken,
        pad_type_id: 0,
        pad_token: this.#tokenizer.tokenizer.id_to_token(padToken) ?? END,
      },
    };
  }
}

function tokenNamed(token: unknown): string | undefined {
  if (typeof token === 'string') return token;
  const content =
    typeof token === 'object' && token !== null && 'content' in token ? token.content : undefined;
  return typeof content === 'string' ? content : undefined;
}
