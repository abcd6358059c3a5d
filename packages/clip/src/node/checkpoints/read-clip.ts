import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileFormatError } from '@poiesis/core';
import { readSafetensors, unreadable } from '@poiesis/core/node';
import {
  type ClipCheckpoint,
  type ClipLayout,
  clipFromCheckpoint,
  configDifferences,
  type LoadClipOptions,
  parseHuggingFaceConfig,
  parseOpenClipConfig,
  readClipCheckpoint,
} from '../../checkpoints';
import type { ClipModel } from '../../model';
import { readJson } from './json-file';

/** A checkpoint that was read from a folder. */
export interface ClipFolder extends ClipCheckpoint {
  /** Parsed `preprocessor_config.json` of Hugging Face, or `preprocess_cfg` of open_clip; null where there is none. */
  readonly preprocessor: unknown;
}

/** A model from a folder, and what else its files say. */
export interface LoadedClip extends Omit<ClipFolder, 'state' | 'warnings'> {
  /** In evaluation mode. */
  readonly model: ClipModel;
}

export interface ReadClipOptions {
  /** Whose files to read where a folder has those of both. Default Hugging Face's. */
  readonly layout?: ClipLayout;
}

const CONFIGS: Readonly<Record<ClipLayout, string>> = {
  huggingFace: 'config.json',
  openClip: 'open_clip_config.json',
};

const WEIGHTS: Readonly<Record<ClipLayout, string>> = {
  huggingFace: 'model.safetensors',
  openClip: 'open_clip_model.safetensors',
};

/**
 * Reads a folder of Hugging Face (`config.json` and `model.safetensors`) or of open_clip (`open_clip_config.json` and
 * `open_clip_model.safetensors`), sharded ones too: CLIP or SigLIP.
 *
 * @throws StorageError where there is no such folder, FileFormatError where it holds something else: PyTorch's own
 * `.bin` files are not read. StateDictError where its tensors do not fit its configuration.
 */
export async function readClip(folder: string, { layout }: ReadClipOptions = {}): Promise<ClipFolder> {
  const names = await readdir(folder).catch((cause) => {
    throw unreadable(folder, cause);
  });
  const first = layout ?? 'huggingFace';
  const weights = weightsIn(folder, names, first);
  const state = await readSafetensors(join(folder, weights));
  const theirs = Object.keys(state).some((name) => name.startsWith('visual.')) ? 'openClip' : 'huggingFace';
  const other = theirs === 'openClip' ? 'huggingFace' : 'openClip';
  const own = await configIn(folder, names, theirs);
  const config = own ?? (await configIn(folder, names, other));
  if (!config) {
    const expected = `${CONFIGS[theirs]}, beside ${weights}`;
    throw new FileFormatError({ file: folder, expected, received: shown(names) });
  }
  const checkpoint = readClipCheckpoint({ config: config.json, state, file: config.file });
  const second = own && (await configIn(folder, names, other));
  return {
    ...checkpoint,
    warnings: [...checkpoint.warnings, ...(second ? disagreement(checkpoint, second) : [])],
    preprocessor: await preprocessorIn(folder, names, theirs),
  };
}

/**
 * The model of a folder, in evaluation mode. What a folder may hold, and what is thrown: see `readClip`.
 *
 * `const { model } = await loadClip('models/clip-vit-base-patch32')`.
 */
export async function loadClip(
  folder: string,
  { layout, ...options }: ReadClipOptions & LoadClipOptions = {},
): Promise<LoadedClip> {
  const checkpoint = await readClip(folder, { layout });
  const model = clipFromCheckpoint(checkpoint, options);
  return {
    model,
    layout: checkpoint.layout,
    config: model.config,
    preprocessor: checkpoint.preprocessor,
  };
}

/** The file that opens the weights: whole, or the index of shards. */
function weightsIn(folder: string, names: readonly string[], first: ClipLayout): string {
  const second = first === 'huggingFace' ? 'openClip' : 'huggingFace';
  const candidates = ([first, second] as const).flatMap((layout) => [
    WEIGHTS[layout],
    `${WEIGHTS[layout]}.index.json`,
  ]);
  const found = candidates.find((name) => names.includes(name));
  if (found) return found;
  const pickle = names.find((name) => /\.(bin|pt|pth|ckpt)$/.test(name));
  throw new FileFormatError({
    file: folder,
    expected: `${WEIGHTS.huggingFace} or ${WEIGHTS.openClip}`,
    received: pickle ? `only ${pickle}, a Python pickle; ${CONVERT}` : shown(names),
  });
}

const CONVERT =
  'convert it in Python: safetensors.torch.save_file(torch.load(path, weights_only=True), "model.safetensors")';

/** The configuration of a layout, or null where the folder has none, or that of something else. */
async function configIn(
  folder: string,
  names: readonly string[],
  layout: ClipLayout,
): Promise<{ json: unknown; file: string } | null> {
  if (!names.includes(CONFIGS[layout])) return null;
  const file = join(folder, CONFIGS[layout]);
  return { json: await readJson(file), file };
}

function disagreement(checkpoint: ClipCheckpoint, { json, file }: { json: unknown; file: string }): string[] {
  try {
    const parse = checkpoint.layout === 'huggingFace' ? parseOpenClipConfig : parseHuggingFaceConfig;
    const told = parse(json, file).config;
    return configDifferences(checkpoint.config, told).map((what) => `${file} says otherwise: ${what}`);
  } catch (error) {
    // A second configuration that is of no CLIP says nothing about this one.
    if (FileFormatError.isInstance(error)) return [];
    throw error;
  }
}

async function preprocessorIn(
  folder: string,
  names: readonly string[],
  layout: ClipLayout,
): Promise<unknown> {
  const file = 'preprocessor_config.json';
  if (layout === 'huggingFace' && names.includes(file)) return readJson(join(folder, file));
  if (!names.includes(CONFIGS.openClip)) return null;
  const json = await readJson(join(folder, CONFIGS.openClip));
  return (json as { preprocess_cfg?: unknown } | null)?.preprocess_cfg ?? null;
}

function shown(names: readonly string[]): string {
  const some = names.slice(0, 8).join(', ');
  return names.length === 0 ? 'nothing' : `${some}${names.length > 8 ? ', …' : ''}`;
}
