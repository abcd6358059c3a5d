import { CLIP, type ClipConfig, ClipModel, type ImagePreprocessing, WordTokenizer } from '@poiesis/clip';
import '@poiesis/clip/node';
import { PoiesisError, SafetensorsFile } from '@poiesis/core';
import { openSafetensors } from '@poiesis/core/node';
import * as v from 'valibot';
import { ExampleError, oneLine } from '../errors';

/** Under this name the model's file tells what it needs beside its tensors. */
const ENTRY = 'poiesis.clip';

const savedSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    config: v.custom<ClipConfig>((value) => typeof value === 'object' && value !== null),
    tokenizer: v.custom<object>((value) => typeof value === 'object' && value !== null),
    preprocessing: v.custom<ImagePreprocessing>((value) => typeof value === 'object' && value !== null),
  }),
);

/** What goes with the weights: enough to search again. */
export function clipMetadata({ model, tokenizer, preprocessing }: CLIP): Record<string, string> {
  return { [ENTRY]: JSON.stringify({ config: model.config, tokenizer: tokenizer.toJSON(), preprocessing }) };
}

/**
 * A model that `npm start -- clip` has trained (folder of the run, or its model.safetensors), or a released one: a
 * folder in the layout of Hugging Face or open_clip.
 * @throws ExampleError where there is nothing, or something else.
 */
export async function loadClip(path: string): Promise<CLIP> {
  const saved = await readSaved(path);
  try {
    if (!saved) return await CLIP.fromPretrained(path);
    const { config, tokenizer, preprocessing, state } = saved;
    const model = new ClipModel(config, { seed: null });
    model.loadStateDict(state);
    const words = WordTokenizer.fromJson(tokenizer);
    return new CLIP({ model: model.eval(), tokenizer: words, preprocessing });
  } catch (cause) {
    if (!PoiesisError.isInstance(cause)) throw cause;
    throw new ExampleError(`no model for pictures and texts in ${path}: ${oneLine(cause)}`, { cause });
  }
}

/** What a run of ours has saved; null for anything else. */
async function readSaved(path: string) {
  const file = await openSafetensors(path).catch(() => null);
  if (!file) return null;
  try {
    const entry = file instanceof SafetensorsFile ? file.metadata[ENTRY] : undefined;
    const known = v.safeParse(savedSchema, entry);
    return known.success ? { ...known.output, state: await file.stateDict() } : null;
  } finally {
    await file.close();
  }
}
