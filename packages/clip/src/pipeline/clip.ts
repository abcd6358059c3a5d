import { ArgumentError, checkArgument } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';
import { resolveConfig } from '../config';
import { type ImagePreprocessing, type PreparedImage, preprocess } from '../images';
import type { ClipModel } from '../model';
import type { TextTokenizer } from '../tokenizer';
import { Encoder } from './encoder';
import { ImageError } from './image-error';
import { type ImageReader, type ImageSource, imageOf, nameOf } from './image-source';
import { type PretrainedOptions, pretrained } from './pretrained';
import { checkLabels, fill, type TemplateOptions, templatesOf } from './templates';
import { ensembles, type LabelScore, ZeroShotClassifier } from './zero-shot';

/** What a pipeline is made of. */
export interface ClipParts {
  model: ClipModel;
  tokenizer: TextTokenizer;
  /** How a picture becomes the model's input. */
  preprocessing: ImagePreprocessing;
  /** Reads pictures that are not in memory. Default: what `@poiesis/clip/node` registers. */
  readImage?: ImageReader;
}

export interface EmbedOptions {
  /** How many go through the model together. Default 16. */
  batch?: number;
}

export interface EmbedImagesOptions extends EmbedOptions {
  /** Called after each batch. */
  onProgress?: (progress: { done: number; total: number; failed: number }) => void;
}

/** What `embedImagesSettled` returns. */
export interface SettledImages {
  /** `[kept.length, embedDim]`, rows of length 1. The caller owns it. */
  embeddings: tf.Tensor2D;
  /** Places in the list of those that were embedded. */
  kept: number[];
  /** The others, in order. */
  failures: ImageError[];
}

/** A batch of pictures, embedded. */
export interface ImageBatch {
  readonly kept: number[];
  /** `[kept.length, embedDim]` */
  readonly rows: Float32Array;
  readonly failures: ImageError[];
  /** How many of the list have had their turn. */
  readonly done: number;
}

/**
 * A model with its tokenizer and preprocessing: pictures and texts in, embeddings and labels out.
 *
 * ```ts
 * const [best] = await clip.classify(image, ['a cat', 'a dog'], { template: 'a photo of a {}' });
 * ```
 *
 * Embeddings have length 1. Whatever mode the model is in, it runs as in evaluation.
 */
export class CLIP {
  readonly model: ClipModel;
  readonly tokenizer: TextTokenizer;
  readonly preprocessing: ImagePreprocessing;
  readonly #reader: ImageReader | undefined;
  readonly #encoder: Encoder;
  readonly #independent: boolean;

  /** @throws ArgumentError where tokenizer or preprocessing are another model's */
  constructor({ model, tokenizer, preprocessing, readImage }: ClipParts) {
    const { family, image, text } = resolveConfig(model.config);
    const { contextLength, vocabSize, endToken } = tokenizer;
    const { width, height } = preprocessing.size;
    const [h, w] = image.imageSize;
    const check = (fits: boolean, argument: string, expected: string, received: unknown) =>
      checkArgument(fits, 'CLIP', argument, expected, received);
    check(height === h && width === w, 'preprocessing.size', `the model's ${h} × ${w}`, [height, width]);
    const most = text.contextLength;
    check(contextLength <= most, 'tokenizer.contextLength', `at most the model's ${most}`, contextLength);
    check(
      vocabSize <= text.vocabSize,
      'tokenizer.vocabSize',
      `at most the model's ${text.vocabSize}`,
      vocabSize,
    );
    if (family === 'clip') {
      check(endToken === text.endToken, 'tokenizer.endToken', `the model's ${text.endToken}`, endToken);
    } else {
      // SigLIP is read at its last place.
      check(contextLength === most, 'tokenizer.contextLength', `the model's ${most}`, contextLength);
    }
    this.model = model;
    this.tokenizer = tokenizer;
    this.preprocessing = preprocessing;
    this.#reader = readImage;
    this.#encoder = new Encoder(model);
    this.#independent = family === 'siglip';
  }

  /**
   * Reads a released model, CLIP or SigLIP, in Hugging Face's layout or open_clip's. Its weights are frozen, which lets a
   * backend compile them in.
   *
   * ```ts
   * const clip = await CLIP.fromPretrained('models/clip-vit-base-patch32');
   * ```
   * @param from a folder, once `@poiesis/clip/node` is imported; or a URL below which the files lie
   * @throws StorageError, FileFormatError, StateDictError
   */
  static async fromPretrained(from: string, options: PretrainedOptions = {}): Promise<CLIP> {
    const parts = await pretrained(from, options);
    parts.model.freeze();
    return new CLIP({ ...parts, readImage: options.readImage });
  }

  /** Width of the embeddings. */
  get embedDim(): number {
    return this.#encoder.dim;
  }

  /**
   * Embeds pictures.
   * @returns `[images.length, embedDim]`, rows of length 1. The caller owns it.
   * @throws ImageError for the first that cannot be read or embedded
   */
  async embedImages(images: readonly ImageSource[], options: EmbedImagesOptions = {}): Promise<tf.Tensor2D> {
    const rows: Float32Array[] = [];
    for await (const batch of this.imageBatches(images, options)) {
      if (batch.failures[0]) throw batch.failures[0];
      rows.push(batch.rows);
    }
    return this.#tensor(rows);
  }

  /** Embeds what can be embedded of pictures, and lists the others. */
  async embedImagesSettled(
    images: readonly ImageSource[],
    options: EmbedImagesOptions = {},
  ): Promise<SettledImages> {
    const rows: Float32Array[] = [];
    const kept: number[] = [];
    const failures: ImageError[] = [];
    for await (const batch of this.imageBatches(images, options)) {
      rows.push(batch.rows);
      kept.push(...batch.kept);
      failures.push(...batch.failures);
    }
    return { embeddings: this.#tensor(rows), kept, failures };
  }

  /** Embeds pictures batch by batch: memory for one batch at a time, however many there are. */
  async *imageBatches(
    images: readonly ImageSource[],
    { batch = 16, onProgress }: EmbedImagesOptions = {},
  ): AsyncGenerator<ImageBatch> {
    const fn = 'CLIP.embedImages';
    checkArgument(Array.isArray(images), fn, 'images', 'an array of pictures', images);
    checkBatch(fn, batch);
    let failed = 0;
    let next = this.#read(images, 0, batch);
    for (let start = 0; start < images.length; start += batch) {
      const { read, failures } = await next;
      const done = Math.min(start + batch, images.length);
      // The next pictures are read while these are embedded.
      next = this.#read(images, done, batch);
      const prepared = read.map(({ image }) => image);
      const rows = read.length > 0 ? await this.#encoder.images(prepared, batch) : new Float32Array(0);
      const bad = this.#nonFinite(rows);
      if (bad >= 0) {
        throw new ImageError({
          index: read[bad]!.index,
          image: nameOf(images[read[bad]!.index]!, read[bad]!.index),
          batch: start / batch,
          cause: new Error('its embedding is not finite: the model is damaged'),
        });
      }
      failed += failures.length;
      onProgress?.({ done, total: images.length, failed });
      yield { kept: read.map(({ index }) => index), rows, failures, done };
    }
  }

  /**
   * Embeds texts, cut off where they are longer than the model's context.
   * @returns `[texts.length, embedDim]`, rows of length 1. The caller owns it.
   * @throws ArgumentError that names the text which is empty
   */
  async embedTexts(texts: readonly string[], options: EmbedOptions = {}): Promise<tf.Tensor2D> {
    return this.#tensor([await this.#textRows('CLIP.embedTexts', 'texts', texts, options)]);
  }

  /**
   * Says which label fits a picture, without having been trained on the labels.
   * @param labels at least one, all different
   * @returns all labels with their scores, the best first; for an array of pictures an array of such lists
   * @throws ArgumentError for empty labels and for templates without `{}`, ImageError for a picture
   */
  classify(
    image: ImageSource,
    labels: readonly string[],
    options?: TemplateOptions & EmbedOptions,
  ): Promise<LabelScore[]>;
  classify(
    images: readonly ImageSource[],
    labels: readonly string[],
    options?: TemplateOptions & EmbedOptions,
  ): Promise<LabelScore[][]>;
  async classify(
    images: ImageSource | readonly ImageSource[],
    labels: readonly string[],
    options: TemplateOptions & EmbedOptions = {},
  ): Promise<LabelScore[] | LabelScore[][]> {
    const classifier = await this.#classifier('CLIP.classify', labels, options);
    const many = Array.isArray(images);
    const list = (many ? images : [images]) as readonly ImageSource[];
    const embedded = await this.embedImages(list, options);
    try {
      const scores = await classifier.score(embedded);
      return many ? scores : scores[0]!;
    } finally {
      embedded.dispose();
    }
  }

  /**
   * Embeds labels once, for many pictures. With several templates, a label's embedding is the mean of its sentences'.
   * @throws ArgumentError for empty labels and for templates without `{}`
   */
  zeroShotClassifier(
    labels: readonly string[],
    options: TemplateOptions & EmbedOptions = {},
  ): Promise<ZeroShotClassifier> {
    return this.#classifier('CLIP.zeroShotClassifier', labels, options);
  }

  /** Frees the model. */
  dispose(): void {
    this.model.dispose();
  }

  async #classifier(
    fn: string,
    labels: readonly string[],
    options: TemplateOptions & EmbedOptions,
  ): Promise<ZeroShotClassifier> {
    checkLabels(fn, labels);
    const templates = templatesOf(fn, options);
    const sentences = labels.flatMap((label) => templates.map((template) => fill(template, label)));
    const temperature = await this.#encoder.temperature(fn);
    const data = await this.#textRows(fn, 'labels', sentences, options);
    const embeddings = ensembles(fn, { data, count: sentences.length, dim: this.embedDim }, templates.length);
    return new ZeroShotClassifier([...labels], embeddings, temperature, this.#independent);
  }

  async #textRows(
    fn: string,
    argument: string,
    texts: readonly string[],
    { batch = 16 }: EmbedOptions,
  ): Promise<Float32Array> {
    checkArgument(Array.isArray(texts), fn, argument, 'an array of texts', texts);
    checkBatch(fn, batch);
    // All are looked at before the first is embedded.
    const tokens = texts.map((text, i) => this.#tokens(fn, `${argument}[${i}]`, text));
    const all = new Float32Array(texts.length * this.embedDim);
    for (let start = 0; start < texts.length; start += batch) {
      const rows = await this.#encoder.texts(
        tokens.slice(start, start + batch),
        this.tokenizer.endToken,
        batch,
      );
      all.set(rows, start * this.embedDim);
    }
    const bad = this.#nonFinite(all);
    checkArgument(bad < 0, fn, `${argument}[${bad}]`, 'a finite embedding', 'NaN: the model is damaged');
    return all;
  }

  #tokens(fn: string, argument: string, text: string): Int32Array {
    try {
      return this.tokenizer.row(text);
    } catch (error) {
      // The tokenizer knows one text, not its place among others.
      if (!ArgumentError.isInstance(error)) throw error;
      throw new ArgumentError({ fn, argument, expected: error.expected, received: error.received });
    }
  }

  async #read(
    images: readonly ImageSource[],
    start: number,
    batch: number,
  ): Promise<{ read: { index: number; image: PreparedImage }[]; failures: ImageError[] }> {
    const read: { index: number; image: PreparedImage }[] = [];
    const failures: ImageError[] = [];
    for (let index = start; index < Math.min(start + batch, images.length); index++) {
      const source = images[index]!;
      try {
        const image = await imageOf('CLIP.embedImages', source, this.#reader);
        read.push({ index, image: preprocess(image, this.preprocessing) });
      } catch (cause) {
        failures.push(new ImageError({ index, image: nameOf(source, index), batch: start / batch, cause }));
      }
    }
    return { read, failures };
  }

  #nonFinite(rows: Float32Array): number {
    const at = rows.findIndex((x) => !Number.isFinite(x));
    return at < 0 ? -1 : Math.floor(at / this.embedDim);
  }

  #tensor(rows: readonly Float32Array[]): tf.Tensor2D {
    const all = new Float32Array(rows.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of rows) {
      all.set(part, at);
      at += part.length;
    }
    return tf.tensor2d(all, [all.length / this.embedDim, this.embedDim]);
  }
}

function checkBatch(fn: string, batch: number): void {
  const fine = Number.isInteger(batch) && batch > 0;
  checkArgument(fine, fn, 'options.batch', 'a positive whole number', batch);
}
