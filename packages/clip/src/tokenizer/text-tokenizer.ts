import { ArgumentError, checkArgument } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/** How captions become rows of ids. */
export interface TextTokenizerOptions {
  /** Ids of a row, start and end included. Default 77, CLIP's. */
  contextLength?: number;
  /** Captions without a single word are an error unless this is true. Default false. */
  allowEmpty?: boolean;
}

/** What models and pipelines need of a tokenizer; `ClipTokenizer` and `WordTokenizer` are the ones here. */
export abstract class TextTokenizer {
  /** Ids are below this. */
  abstract readonly vocabSize: number;
  /** Before every text, where the vocabulary has one. */
  abstract readonly startToken: number | undefined;
  /** After every text. */
  abstract readonly endToken: number;
  /** Fills rows up behind the end token. */
  abstract readonly padToken: number;
  readonly contextLength: number;
  readonly allowEmpty: boolean;

  protected constructor({ contextLength = 77, allowEmpty = false }: TextTokenizerOptions) {
    const fits = Number.isInteger(contextLength) && contextLength >= 2;
    checkArgument(fits, 'TextTokenizer', 'options.contextLength', 'an integer ≥ 2', contextLength);
    this.contextLength = contextLength;
    this.allowEmpty = allowEmpty;
  }

  /** All ids of a text, start and end included, however long. */
  abstract encode(text: string): number[];

  /** The text that ids stand for, without start, end and padding. */
  abstract decode(ids: ArrayLike<number>): string;

  /** What a file holds that `readTokenizer` makes the same tokenizer of: the content of a tokenizer.json. */
  abstract toJSON(): object;

  /**
   * The ids of one caption as a row of `contextLength`: cut off with the end token kept, or filled up with padding.
   * For datasets, whose samples hold no tensors.
   * @throws ArgumentError for an empty caption, unless these are allowed.
   */
  row(text: string): Int32Array {
    const row = new Int32Array(this.contextLength);
    this.#fill(row, text, 'row', 'text');
    return row;
  }

  /**
   * The ids of captions, int32 `[texts.length, contextLength]`, rows as `row` makes them. The caller owns the tensor.
   * @throws ArgumentError naming the caption that is empty (unless these are allowed) or no string.
   */
  batch(texts: readonly string[]): tf.Tensor2D {
    checkArgument(Array.isArray(texts), 'TextTokenizer.batch', 'texts', 'an array of strings', texts);
    const ids = new Int32Array(texts.length * this.contextLength);
    texts.forEach((text, i) => {
      const row = ids.subarray(i * this.contextLength, (i + 1) * this.contextLength);
      this.#fill(row, text, 'batch', `texts[${i}]`);
    });
    return tf.tensor2d(ids, [texts.length, this.contextLength], 'int32');
  }

  #fill(row: Int32Array, text: string, method: string, argument: string): void {
    const fn = `TextTokenizer.${method}`;
    checkArgument(typeof text === 'string', fn, argument, 'a string', text);
    const ids = this.encode(text);
    const frame = this.startToken === undefined ? 1 : 2;
    if (ids.length <= frame && !this.allowEmpty) {
      throw new ArgumentError({ fn, argument, expected: 'a caption with a word in it', received: text });
    }
    row.fill(this.padToken);
    row.set(ids.length > row.length ? ids.slice(0, row.length) : ids);
    if (ids.length > row.length) row[row.length - 1] = this.endToken;
  }
}
