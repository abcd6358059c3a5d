import { ArgumentError, type LoadReport, type StateDict } from '@poiesis/core';
import type { ClipActivation, ClipConfig } from '../config';
import { ClipModel } from '../model';
import { configDifferences } from './differences';
import { parseHuggingFaceConfig } from './hugging-face-config';
import { type ImageSizeOptions, resizeImageState, withImageSize } from './image-size';
import { type ClipLayout, fromHuggingFace, fromOpenClip, layoutOf } from './layouts';
import { parseOpenClipConfig } from './open-clip-config';

/** A released model that has been read: what its files say. */
export interface ClipFiles {
  /** Parsed `config.json` of Hugging Face, or `open_clip_config.json`. */
  readonly config: unknown;
  /** Its tensors, in their names. */
  readonly state: StateDict;
  /** What errors call the configuration. */
  readonly file?: string;
}

/** A checkpoint in our terms. */
export interface ClipCheckpoint {
  readonly layout: ClipLayout;
  readonly config: ClipConfig;
  /** In our names. */
  readonly state: StateDict;
  /** What its files say that deserves a look. */
  readonly warnings: readonly string[];
}

export interface LoadClipOptions extends ImageSizeOptions {
  /** Another image size than the checkpoint's: position embeddings are interpolated. */
  readonly imageSize?: ClipConfig['image']['imageSize'];
  /** Another activation than the checkpoint's, at a warning. */
  readonly activation?: ClipActivation;
  /** Hears of everything that is odd. Default `console.warn`. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Understands a checkpoint whose files are in memory.
 * @throws FileFormatError for a configuration of another kind, StateDictError where the tensors do not fit it.
 */
export function readClipCheckpoint({ config: json, state, file }: ClipFiles): ClipCheckpoint {
  const layout = layoutOf(Object.keys(state));
  if (!layout) {
    throw new ArgumentError({
      fn: 'readClipCheckpoint',
      argument: 'files.state',
      expected: "tensors with Hugging Face's names (vision_model.…) or open_clip's (visual.…)",
      received: Object.keys(state).slice(0, 3),
    });
  }
  // A file says by its fields whose it is; either may come with the other's tensors.
  const told = isHuggingFace(json) ? parseHuggingFaceConfig(json, file) : parseOpenClipConfig(json, file);
  // open_clip trains a bias on request, of which its configuration does not tell.
  const biased = 'logit_bias' in state && told.config.family === 'clip';
  const config = biased ? { logitBiasInit: 0, ...told.config } : told.config;
  const ours = layout === 'huggingFace' ? fromHuggingFace(state, config) : fromOpenClip(state, config);
  return { layout, config, state: ours, warnings: told.warnings };
}

function isHuggingFace(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'model_type' in json;
}

/** A model with the weights of a checkpoint, in evaluation mode. */
export function clipFromCheckpoint(
  { config, state, warnings }: ClipCheckpoint,
  { imageSize, activation, antialias, onWarning = console.warn }: LoadClipOptions = {},
): ClipModel {
  const sized = imageSize === undefined ? config : withImageSize(config, imageSize);
  const built = activation === undefined ? sized : withActivation(sized, activation);
  for (const message of [...warnings, ...configDifferences(built, config)]) onWarning(message);
  const model = new ClipModel(built, { seed: null });
  model.loadStateDict(resizeImageState(state, config, built, { antialias }));
  return model.eval();
}

/**
 * Loads a checkpoint into a model that there is already. Its position embeddings are interpolated if the model is for
 * pictures of another size.
 * @returns as `model.loadStateDict`.
 * @throws StateDictError where shapes do not fit.
 */
export function loadClipCheckpoint(
  model: ClipModel,
  { config, state, warnings }: ClipCheckpoint,
  { antialias, onWarning = console.warn }: Pick<LoadClipOptions, 'antialias' | 'onWarning'> = {},
): LoadReport {
  for (const message of [...warnings, ...configDifferences(model.config, config)]) onWarning(message);
  return model.loadStateDict(resizeImageState(state, config, model.config, { antialias }));
}

function withActivation(config: ClipConfig, activation: ClipActivation): ClipConfig {
  return {
    ...config,
    activation,
    image: { ...config.image, activation },
    text: { ...config.text, activation },
  };
}
