import {
  ArgumentError,
  byteSource,
  checkArgument,
  FileFormatError,
  SafetensorsFile,
  StorageError,
} from '@poiesis/core';
import {
  type ClipLayout,
  clipFromCheckpoint,
  type LoadClipOptions,
  readClipCheckpoint,
} from '../checkpoints';
import { resolveConfig } from '../config';
import {
  clipPreprocessing,
  type ImagePreprocessing,
  parseHuggingFacePreprocessing,
  parseOpenClipPreprocessing,
  siglipPreprocessing,
} from '../images';
import type { ClipModel } from '../model';
import { ClipTokenizer, type TextTokenizer, type TokenizerConfig, WordTokenizer } from '../tokenizer';
import type { ImageReader } from './image-source';

export interface PretrainedOptions extends LoadClipOptions {
  /** Whose files to read where a folder has those of both. Default Hugging Face's. */
  layout?: ClipLayout;
  /** Default: what the folder has. */
  tokenizer?: TextTokenizer;
  /** Default: what the folder says, and the family's where it says nothing. */
  preprocessing?: ImagePreprocessing;
  /** Reads pictures that are not in memory. Default: what `@poiesis/clip/node` registers. */
  readImage?: ImageReader;
}

/** What a folder is made of a pipeline with. */
export interface PretrainedParts {
  model: ClipModel;
  tokenizer: TextTokenizer;
  preprocessing: ImagePreprocessing;
}

/** Reads a folder of the file system. */
export type PretrainedReader = (folder: string, options: PretrainedOptions) => Promise<PretrainedParts>;

// On globalThis, because the CommonJS builds of the main entry and of /node hold a copy of this module each.
const READER = Symbol.for('poiesis.clip.pretrainedReader');
const registry = globalThis as { [READER]?: PretrainedReader };

/** Says how `CLIP.fromPretrained` reads paths. Importing `@poiesis/clip/node` registers folders. */
export function registerPretrainedReader(reader: PretrainedReader): void {
  registry[READER] = reader;
}

/** The parts of a released model. */
export async function pretrained(from: string, options: PretrainedOptions): Promise<PretrainedParts> {
  const fn = 'CLIP.fromPretrained';
  checkArgument(typeof from === 'string' && from !== '', fn, 'from', 'a folder or a URL', from);
  if (/^https?:/.test(from)) return fromUrl(from.replace(/\/+$/, ''), options);
  const read = registry[READER];
  if (read) return read(from, options);
  const expected = "a URL; to read folders, import '@poiesis/clip/node'";
  throw new ArgumentError({ fn, argument: 'from', expected, received: from });
}

/** How pictures are prepared, from what a folder says, which may be nothing. */
export function preprocessingFor(
  model: ClipModel,
  layout: ClipLayout,
  preprocessor: unknown,
  { preprocessing, imageSize }: PretrainedOptions,
): ImagePreprocessing {
  if (preprocessing) return preprocessing;
  const { family, image } = resolveConfig(model.config);
  const [height, width] = image.imageSize;
  const size = [height, width] as const;
  if (preprocessor === null || preprocessor === undefined) {
    return family === 'siglip' ? siglipPreprocessing(size) : clipPreprocessing(size);
  }
  const said =
    layout === 'huggingFace'
      ? parseHuggingFacePreprocessing(preprocessor)
      : parseOpenClipPreprocessing(preprocessor, size);
  if (imageSize === undefined) return said;
  // Another size than the folder's was asked for; the rest of what it says holds.
  const { shortestEdge: _, ...rest } = said;
  return { ...rest, size: { height, width } };
}

/** By the names of Hugging Face's hub; tensors are fetched as one file. */
async function fromUrl(base: string, options: PretrainedOptions): Promise<PretrainedParts> {
  const open = options.layout === 'openClip';
  const names = (a: string, b: string) => (open ? [b, a] : [a, b]);
  const [config, weights] = await Promise.all([
    first(base, names('config.json', 'open_clip_config.json'), json),
    first(base, names('model.safetensors', 'open_clip_model.safetensors'), tensors),
  ]);
  const checkpoint = readClipCheckpoint({ config: config.value, state: weights.value, file: config.url });
  const model = clipFromCheckpoint(checkpoint, options);
  const layout = config.url.endsWith('open_clip_config.json') ? 'openClip' : 'huggingFace';
  const [preprocessor, tokenizer] = await Promise.all([
    layout === 'openClip' ? config.value : optional(json(`${base}/preprocessor_config.json`)),
    options.tokenizer ?? tokenizerOf(base, model.config.text.contextLength),
  ]);
  const preprocessing = preprocessingFor(model, layout, preprocessor, options);
  return { model, tokenizer, preprocessing };
}

async function tokenizerOf(base: string, contextLength: number): Promise<TextTokenizer> {
  const [content, config] = await Promise.all([
    json(`${base}/tokenizer.json`),
    optional(json(`${base}/tokenizer_config.json`)),
  ]);
  if ('words' in content) return WordTokenizer.fromJson(content, { contextLength });
  return ClipTokenizer.fromJson(content, { contextLength, config: (config ?? {}) as TokenizerConfig });
}

/** The first of several files that there is; the error is that of the first. */
async function first<T>(
  base: string,
  names: readonly string[],
  read: (url: string) => Promise<T>,
): Promise<{ url: string; value: T }> {
  let missing: unknown;
  for (const name of names) {
    const url = `${base}/${name}`;
    try {
      return { url, value: await read(url) };
    } catch (error) {
      if (!isMissing(error)) throw error;
      missing ??= error;
    }
  }
  throw missing;
}

async function optional<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return StorageError.isInstance(error) && /^HTTP (404|403|401)/.test(error.reason);
}

async function tensors(url: string) {
  const file = await SafetensorsFile.open(url);
  try {
    return await file.stateDict();
  } finally {
    await file.close();
  }
}

async function json(url: string): Promise<object> {
  const source = await byteSource(url);
  try {
    const text = new TextDecoder().decode(await source.read(0, source.size));
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
    throw new SyntaxError('no object');
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new FileFormatError({ file: url, expected: 'JSON', received: 'other text', cause });
  } finally {
    await source.close?.();
  }
}
