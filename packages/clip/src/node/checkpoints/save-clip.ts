import { join } from 'node:path';
import { writeSafetensors } from '@poiesis/core/node';
import {
  type ClipLayout,
  huggingFaceConfig,
  openClipConfig,
  toHuggingFace,
  toOpenClip,
} from '../../checkpoints';
import type { ClipModel } from '../../model';
import { writeJson } from './json-file';

export interface SaveClipOptions {
  /** Whose files to write. Default Hugging Face's. */
  readonly layout?: ClipLayout;
  /**
   * What the pictures go through: `preprocessor_config.json` of Hugging Face, or `preprocess_cfg` of open_clip. Left out,
   * Hugging Face's file is not written, and open_clip takes its own defaults.
   */
  readonly preprocessor?: unknown;
}

/**
 * Writes a folder that Hugging Face's transformers (`CLIPModel.from_pretrained(folder)`) or open_clip
 * (`open_clip.create_model('local-dir:folder')`) loads, and `loadClip`. Tokenizers' files are copied by whoever has them.
 *
 * @throws ArgumentError for a model that the other library cannot express, StorageError.
 */
export async function saveClip(
  folder: string,
  model: ClipModel,
  { layout = 'huggingFace', preprocessor }: SaveClipOptions = {},
): Promise<void> {
  const state = await model.stateDict();
  const metadata = { format: 'pt' }; // what Hugging Face's loaders ask for
  if (layout === 'huggingFace') {
    const config = huggingFaceConfig(model.config);
    await writeJson(join(folder, 'config.json'), config);
    if (preprocessor !== undefined) await writeJson(join(folder, 'preprocessor_config.json'), preprocessor);
    await writeSafetensors(join(folder, 'model.safetensors'), toHuggingFace(state, model.config), metadata);
    return;
  }
  const config = { model_cfg: openClipConfig(model.config), preprocess_cfg: preprocessor ?? {} };
  await writeJson(join(folder, 'open_clip_config.json'), config);
  await writeSafetensors(
    join(folder, 'open_clip_model.safetensors'),
    toOpenClip(state, model.config),
    metadata,
  );
}
